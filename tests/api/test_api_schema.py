"""The OpenAPI document, its page, and the health checks."""

import json
import re

import jsonschema
import pytest

from config.urls import api_patterns
from tests import contract
from tests.client import Api
from tests.openapi import resolved

# The contract's objects by the names they have in the document.
COMPONENTS = {
    "Site": "site",
    "SiteOutline": "outline",
    "Charger": "charger",
    "Location": "location",
    "ChargerConfiguration": "configuration",
    "Socket": "socket",
    "Tag": "tag",
    "Driver": "driver",
    "IntegratedExternalId": "externalId",
    "UserGroup": "userGroup",
    "OperatorGroup": "operatorGroup",
    "Operator": "operator",
    "Colleague": "colleague",
    "AuthorisedSite": "authorisedSite",
    "OperatorTree": "operatorTree",
    "UserTree": "userTree",
    "AuthorisedUsers": "authorisedUsers",
}


@pytest.fixture
def schema(db, client):
    response = client.get("/api/schema")
    assert response.status_code == 200
    return json.loads(response.content)


def test_every_object_is_the_contracts(schema):
    assert schema["openapi"].startswith("3.1")
    components = schema["components"]["schemas"]
    for name, kind in COMPONENTS.items():
        described = components[name]
        assert list(described["properties"]) == list(contract.OBJECTS[kind]), name
        assert sorted(described["required"]) == sorted(contract.OBJECTS[kind]), name
        for key, inner in contract.OBJECTS[kind].items():
            assert ("null" in str(described["properties"][key].get("type", ""))) == inner.endswith("?"), f"{name}.{key}"


def test_answers_are_as_the_document_says(world, schema):
    api = Api(world.ada)
    for path, address in {
        "/api/v1/sites/tree": "/sites/tree",
        "/api/v1/sites/{siteId}/home-drivers": f"/sites/{world.harbour.pk}/home-drivers",
        "/api/v1/operators/tree": "/operators/tree",
        "/api/v1/chargers/{chargerId}/authorised-drivers": "/chargers/QUAY-1/authorised-drivers",
        "/api/v1/drivers/{userId}": f"/drivers/{world.dora.pk}",
    }.items():
        described = schema["paths"][path]["get"]["responses"]
        validate(api.get(address).data, described["200"]["content"]["application/json"]["schema"], schema)
        problem = Api().get(address).data
        failure = resolved(schema, described["401"])
        validate(problem, failure["content"]["application/problem+json"]["schema"], schema)


def validate(answer, described, schema):
    jsonschema.Draft202012Validator({**described, "components": schema["components"]}).validate(answer)


def test_flat_objects_are_as_the_document_says(world, schema):
    """Going out and coming in: every example is accepted by what describes it, and so is every answer."""
    api = Api(world.ada)
    addresses = {
        "/api/v1/sites": "/sites",
        "/api/v1/sites/{siteId}": f"/sites/{world.east.pk}",
        "/api/v1/chargers": "/chargers",
        "/api/v1/chargers/{chargerId}": "/chargers/QUAY-1",
        "/api/v1/chargers/{chargerId}/sockets": "/chargers/QUAY-1/sockets",
        "/api/v1/chargers/{chargerId}/configurations": "/chargers/QUAY-1/configurations",
        "/api/v1/drivers": "/drivers",
        "/api/v1/drivers/{userId}": f"/drivers/{world.dora.pk}?view=flat",
        "/api/v1/drivers/{userId}/external-ids": f"/drivers/{world.dora.pk}/external-ids",
        "/api/v1/drivers/{userId}/sites": f"/drivers/{world.dora.pk}/sites",
        "/api/v1/drivers/{userId}/chargers": f"/drivers/{world.dirk.pk}/chargers",
        "/api/v1/tags": "/tags",
        "/api/v1/operators": "/operators",
        "/api/v1/operators/{id}/sites": f"/operators/{world.rob.pk}/sites",
        "/api/v1/changes": "/changes?limit=1000",
        "/api/v1/me": "/me",
    }
    for path, address in addresses.items():
        answer = api.get(address)
        assert answer.status_code == 200
        validate(answer.data, content(schema["paths"][path]["get"]["responses"]["200"])["schema"], schema)
        for operation in schema["paths"][path].values():
            bodies = [operation.get("requestBody"), *operation["responses"].values()]
            for described in filter(None, map(content, filter(None, bodies))):
                for example in described.get("examples", {}).values():
                    validate(resolved(schema, example)["value"], described["schema"], schema)
    site = schema["components"]["schemas"]["SiteInput"]
    assert site["required"] == ["groupName"]
    assert site["properties"]["id"]["readOnly"]
    for body in ({"groupName": "x", "colour": 1}, {}, {"groupName": "x", "groupType": "ROUND"}, {"groupName": None}):
        with pytest.raises(jsonschema.ValidationError):
            validate(body, site, schema)


def content(described):
    return described.get("content", {}).get("application/json")


# Reads that have to send something.
ONLY_ASKING = {"/api/v1/sites/authorised-drivers"}


def test_every_address_is_described_with_its_errors_and_key(schema):
    # A session of the admin opens the API too, but is nothing that one could enter.
    assert schema["security"] == [{"ApiKey": []}] and list(schema["components"]["securitySchemes"]) == ["ApiKey"]
    described = {re.sub(r"\{\w+\}", "{}", path) for path in schema["paths"]}
    assert described == {f"/api/v1/{re.sub(r'<[^>]+>', '{}', str(one.pattern))}" for one in api_patterns}
    names = []
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            statuses = set(operation["responses"])
            expected = {"400", "401", "406"}
            expected |= {"404"} if "{" in path else set()
            expected |= {"415"} if "requestBody" in operation else set()
            expected |= {"403"} if method != "get" and path not in ONLY_ASKING else set()
            assert statuses >= expected, (method, path)
            assert statuses & {"200", "201", "204"}
            assert "security" not in operation
            assert operation["summary"]
            assert operation["tags"]
            names.append(operation["operationId"])
    assert len(set(names)) == len(names)
    assert schema["components"]["securitySchemes"]["ApiKey"] == {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
    }


def test_the_documentation_asks_no_other_host(db, client):
    page = client.get("/api/docs").content.decode()
    assert "swagger-ui" in page
    for attribute in ("src=", "href="):
        for rest in page.split(attribute)[1:]:
            assert rest.strip("\"'").startswith("/"), rest[:80]


def test_the_document_comes_as_its_own_kind_too(db, client):
    for kind in ("application/vnd.oai.openapi+json", "application/json", "*/*"):
        assert client.get("/api/schema", headers={"accept": kind}).status_code == 200
    assert client.get("/api/schema", headers={"accept": "application/yaml"}).status_code == 406


def test_pages_are_described_in_the_order_of_their_keys(schema):
    described = [one.get("properties", {}) for one in schema["components"]["schemas"].values()]
    pages = [one for one in described if "next" in one]
    assert len(pages) > 15 and all(list(one)[:2] == ["items", "next"] for one in pages)


def test_health(db, client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
