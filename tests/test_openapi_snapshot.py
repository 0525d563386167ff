"""The OpenAPI document: the committed one is that of the API, and shows by example what comes in and goes out."""

import difflib
import json

import jsonschema
import pytest

from tests.openapi import SNAPSHOT, described, resolved, text_of


@pytest.fixture
def document(db):
    return described()


def test_the_snapshot_is_what_the_api_says(client, db):
    said = text_of(json.loads(client.get("/api/schema").content)).splitlines()
    kept = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    different = list(difflib.unified_diff(kept, said, "docs/openapi.json", "/api/schema", n=2, lineterm=""))[:40]
    assert not different, "\n".join(["Look at the difference, then write it again with `make openapi`:", *different])


def test_what_comes_in_and_goes_out_has_examples_as_it_says(document):
    bodies = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = [answer for status, answer in operation["responses"].items() if status < "300"]
            for body in (operation.get("requestBody", {}), *answers):
                kinds = body.get("content", {}).values()
                shown = [(kind["schema"], one) for kind in kinds for one in kind.get("examples", {}).values()]
                assert shown or not kinds, (method, path)
                bodies += bool(kinds)
                for schema, example in shown:
                    value = resolved(document, example)["value"]
                    jsonschema.Draft202012Validator({**schema, "components": document["components"]}).validate(value)
    assert bodies > len(document["paths"])


def test_every_error_is_a_problem(document):
    problem = document["components"]["schemas"]["Problem"]
    jsonschema.Draft202012Validator(problem).validate(problem["examples"][0])
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                if status >= "400":
                    kinds = resolved(document, answer)["content"]
                    assert kinds["application/problem+json"] == {"schema": {"$ref": "#/components/schemas/Problem"}}


def test_nested_examples_hold_one_of_everything(document):
    """A tree shows a site with one below it, and there what can be at a site."""
    (driver,) = [resolved(document, one)["value"] for one in examples_of(document, "/drivers/by-tag/{idTag}").values()]
    (harbour,) = driver["chargerGroups"]
    (east,) = harbour["subgroups"]
    assert (harbour["groupName"], harbour["chargers"]) == ("Harbour", [])
    assert (east["groupName"], east["subgroups"]) == ("East car park", [])
    assert (driver["homeGroupId"], driver["homeGroupName"]) == (east["id"], east["groupName"])
    (charger,) = east["chargers"]
    assert (charger["groupId"], len(charger["sockets"]), driver["chargers"]) == (east["id"], 1, [charger])
    assert set(examples_of(document, "/drivers/{userId}")) == {"Driver", "FlatDriver"}


def examples_of(document, path):
    answer = document["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]
    return answer["content"]["application/json"]["examples"]
