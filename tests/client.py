"""Calling the API as an integrator does: a key, a path, an answer."""

import json
from typing import Any

from django.test import Client

from hierarchy.scoping import Caller, Scope
from operators.models import Operator
from operators.services import api_key_create

PLATFORM = Caller(scope=Scope.platform(), label="tests", source="command")


def new_key(operator: Operator, **options: Any) -> str:
    """A fresh key of the operator's."""
    return api_key_create(PLATFORM, operator, "tests", **options)[1]


class Api:
    """A client with one operator's key. `get` gives the response, with `.data` where it is JSON."""

    def __init__(self, operator: Operator | None = None, **options: Any) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"X-API-Key": new_key(operator, **options)} if operator else {}

    def get(self, path: str, **headers: str) -> Any:
        return self.request("get", path, **headers)

    def post(self, path: str, body: Any, **headers: str) -> Any:
        """`body` is sent as it is when it is bytes, as JSON otherwise."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.request("post", path, data, **headers)

    def request(self, method: str, path: str, data: bytes = b"", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"data": data, "content_type": named.pop("content-type", "application/json")} if data else {}
        response = getattr(self.client, method)(f"/api/v1{path}", headers=self.headers | named, **sent)
        body = response.getvalue()
        response.body = body
        response.data = json.loads(body) if body and "json" in response.headers["Content-Type"] else None
        return response


def assert_problem(response: Any, status: int, title: str) -> None:
    """The response is a problem of this status and sentence, complete, in the contract's order."""
    assert response.status_code == status, response.body
    assert response.headers["Content-Type"] == "application/problem+json"
    keys = ["type", "title", "status", "detail", "instance", "requestId"]
    assert list(response.data) in (keys, [*keys, "errors"], [*keys, "errors", "items"])
    assert (response.data["title"], response.data["status"]) == (title, status)
    assert response.data["requestId"] == response.headers["X-Request-ID"]
    errors = response.data.get("errors", [])
    for error in errors:
        assert list(error) == ["pointer", "code", "detail"]
    of_items = [
        {**error, "pointer": f"/{item['index']}{error['pointer']}"}
        for item in response.data.get("items", [])
        for error in item["errors"]
    ]
    assert not of_items or of_items == sorted(errors, key=lambda error: int(error["pointer"].split("/")[1]))


NO_CUSTOMER = "Customer not found or not authorised"
BAD_ROUTE = "Errors in the route parameters"
BAD_BODY = "Errors in the body request"
