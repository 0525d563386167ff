"""The OpenAPI document, its page, and the health checks."""

import json

import jsonschema
import pytest

from tests import contract
from tests.api import Api

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

OWN_ERRORS = {"/api/v1/sites/authorised-drivers": {"404"}, "/api/v1/status-reports": {"403"}}


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
        validate(problem, described["401"]["content"]["application/problem+json"]["schema"], schema)


def validate(answer, described, schema):
    jsonschema.Draft202012Validator({**described, "components": schema["components"]}).validate(answer)


def test_every_read_names_its_errors_and_key(schema):
    assert set(schema["paths"]) == {
        "/api/v1/sites/tree",
        "/api/v1/sites/authorised-drivers",
        "/api/v1/sites/by-external-id/{externalId}",
        "/api/v1/sites/{siteId}/home-drivers",
        "/api/v1/sites/{siteId}/home-operators",
        "/api/v1/sites/{siteId}/authorised-drivers",
        "/api/v1/operators/tree",
        "/api/v1/chargers/{chargerId}/authorised-drivers",
        "/api/v1/status-reports",
        "/api/v1/drivers/tree",
        "/api/v1/drivers/by-external-id/{externalId}",
        "/api/v1/drivers/by-tag/{idTag}",
        "/api/v1/drivers/{userId}",
    }
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            expected = {"200", "400", "401", "406"}
            expected |= {"404"} if "{" in path else set()
            expected |= {"415"} if method == "post" else set()
            expected |= OWN_ERRORS.get(path, set())
            assert set(operation["responses"]) == expected
            assert {"ApiKey": []} in operation["security"]
            assert operation["summary"]
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


def test_health(db, client):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
