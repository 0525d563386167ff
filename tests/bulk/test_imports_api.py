"""Importing and exporting by API: plan, look, apply; what was imported; and the network as a file."""

import csv
import datetime
import io
import json
from pathlib import Path

import jsonschema
import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client
from django.utils import timezone

from api.errors import BadBody
from api.uploads import MEDIA_TYPES, read_upload
from bulk import files, imports
from chargers.models import Charger
from hierarchy.models import Change, Import, ImportPlan, Site
from hierarchy.scoping import Caller
from tests.client import BAD_BODY, BAD_ROUTE, Api, assert_problem
from tests.openapi import resolved

CSV = "text/csv"
CONFLICT = "Conflict with the current state"
NO_FILE = "Only files of tables are accepted"
PLAN_KEYS = [
    "id", "state", "fileName", "format", "table", "pruneSite", "createdAt", "expiresAt", "importId", "counts",
    "errorCount", "warningCount",
]  # fmt: skip
DETAILS = [*PLAN_KEYS, "errors", "warnings", "notes"]
RECORD = ["id", "fileName", "format", "sha256", "appliedAt", "appliedBy", "road", "counts"]
SITES = {
    "sites": [
        {"parent": "Harbour", "groupName": "West car park", "externalId": "W"},
        {"parent": "Airport", "groupName": "Terminal 2"},
    ]
}


def table(*rows):
    """A CSV file of rows."""
    target = io.StringIO()
    csv.writer(target).writerows(rows)
    return target.getvalue().encode()


def sites(*names, parent="Harbour / East car park"):
    return {"sites": [{"parent": parent, "groupName": name} for name in names]}


def planned(api, body, query="", **headers):
    """The id of the plan for a body that has no errors."""
    response = api.post(f"/imports{query}", body, **headers)
    assert response.status_code == 201, response.body
    return response.data["id"]


def test_it_works(world):
    ada = Api(world.ada)
    answer = ada.post("/imports?fileName=west.json", SITES)
    assert answer.status_code == 201
    plan = answer.data
    assert list(plan) == DETAILS
    counts = {"created": 1, "changed": 1, "moved": 0, "deleted": 0, "unchanged": 0}
    assert (plan["state"], plan["fileName"], plan["importId"]) == ("planned", "west.json", None)
    assert (plan["counts"], plan["errorCount"], plan["warnings"]) == ({"sites": counts}, 0, [])
    path = f"/imports/{plan['id']}"
    assert answer.headers["Location"] == f"http://testserver/api/v1{path}"
    assert ada.get(path).data == plan
    listed = ada.get("/imports").data
    assert listed == {"items": [{key: plan[key] for key in PLAN_KEYS}], "next": None}
    changed, created = ada.get(f"{path}/steps").data["items"]
    assert changed == {
        "table": "sites",
        "action": "changed",
        "object": "Harbour / West car park",
        "row": 1,
        "fields": {"externalId": [None, "W"]},
    }
    assert (created["action"], created["object"], created["row"]) == ("created", "Airport / Terminal 2", 2)
    assert ada.get(f"{path}/steps?action=created&table=sites").data["items"] == [created]
    assert not Site.objects.filter(name="Terminal 2").exists()

    applied = ada.request("post", f"{path}/apply")
    assert applied.status_code == 200
    assert list(applied.data) == RECORD
    record = applied.data
    assert (record["appliedBy"], record["road"], record["format"]) == ("ada@northwind.example", "api", "json")
    assert (record["fileName"], record["counts"]) == ("west.json", {"sites": counts})
    assert Site.objects.get(name="Terminal 2").parent == world.airport
    lines = Change.objects.filter(import_id=record["id"], source="api", actor_label="ada@northwind.example")
    assert {line.natural_key for line in lines} == {"west.json", "West car park", "Terminal 2"}
    after = ada.get(path).data
    assert after == {**plan, "state": "applied", "importId": record["id"]}
    assert ada.get(f"/imports/applied/{record['id']}").data == record
    assert ada.get("/imports/applied").data == {"items": [record], "next": None}
    assert ada.get("/imports/applied/999999").status_code == 404

    # What was done stays done, and is not done again.
    for method, address, reason in (
        ("post", f"{path}/apply", "applied before"),
        ("get", f"{path}/steps", "change log"),
        ("delete", path, "Undo its changes"),
    ):
        response = ada.request(method, address)
        assert_problem(response, 409, CONFLICT)
        assert reason in response.data["detail"]
    assert Site.objects.filter(name="Terminal 2").count() == 1


def test_queries(world, django_assert_num_queries):
    ada = Api(world.ada)
    plans = [planned(ada, sites(name)) for name in ("A", "B", "C")]
    for plan in plans[:2]:
        ada.request("post", f"/imports/{plan}/apply")
    # The key with its operator; the plans. Never the files themselves.
    with django_assert_num_queries(2):
        assert len(ada.get("/imports").data["items"]) == 3
    # The key; the imports; who made them.
    with django_assert_num_queries(3):
        assert len(ada.get("/imports/applied").data["items"]) == 2


def test_a_network_that_was_changed_since_is_left_alone(world):
    ada = Api(world.ada)
    site = {"parent": "Harbour", "groupName": "West car park", "costName": "W"}
    plan = planned(ada, {"sites": [site, *SITES["sites"][1:]]})
    world.west.cost_name = "Other"
    world.west.save()
    response = ada.request("post", f"/imports/{plan}/apply")
    assert_problem(response, 409, CONFLICT)
    (error,) = response.data["errors"]
    assert (error["pointer"], error["code"]) == ("/sites", "changed_since")
    assert "costName is now Other" in error["detail"]
    assert not Site.objects.filter(name="Terminal 2").exists()
    assert ada.get(f"/imports/{plan}").data["state"] == "planned"
    assert ada.request("delete", f"/imports/{plan}").status_code == 204
    assert_problem(ada.get(f"/imports/{plan}"), 404, "Import plan not found for the customer")


def test_plans_wait_for_who_brought_them(world):
    ada, rob, sue = Api(world.ada), Api(world.rob), Api(world.sue)
    plan = planned(rob, sites("Roof", parent="East car park"))
    for api in (ada, sue):
        assert api.get("/imports").data["items"] == []
        for method, path in (("get", ""), ("get", "/steps"), ("post", "/apply"), ("delete", "")):
            response = api.request(method, f"/imports/{plan}{path}")
            assert_problem(response, 404, "Import plan not found for the customer")
    record = rob.request("post", f"/imports/{plan}/apply").data
    assert Site.objects.get(name="Roof").parent == world.east
    # What was imported is history: of the whole customer for an admin operator, of one's own for others.
    assert ada.get(f"/imports/applied/{record['id']}").data == record == rob.get("/imports/applied").data["items"][0]
    assert sue.get(f"/imports/applied/{record['id']}").status_code == 404
    record = ada.request("post", f"/imports/{planned(ada, SITES)}/apply").data
    assert rob.get(f"/imports/applied/{record['id']}").status_code == 404


def test_restricted_operators_import_where_they_may(world):
    rob = Api(world.rob)
    response = rob.post("/imports", sites("Roof", parent="Airport"))
    assert_problem(response, 400, BAD_BODY)
    assert response.data["errors"][0]["pointer"] == "/sites/0/parent"
    plan = planned(rob, sites("Roof", parent="East car park"))
    assert rob.get(f"/imports/{plan}/steps").data["items"][0]["object"] == "East car park / Roof"
    world.rob.grants.all().delete()
    response = rob.request("post", f"/imports/{plan}/apply")
    assert_problem(response, 409, CONFLICT)
    assert not Site.objects.filter(name="Roof").exists()


def test_keys_that_may_only_read(world):
    plan = planned(Api(world.ada), SITES)
    reader = Api(world.ada, is_read_only=True)
    for method, path in (("post", ""), ("post", f"/{plan}/apply"), ("delete", f"/{plan}")):
        assert_problem(reader.request(method, f"/imports{path}"), 403, "Not permitted")
    assert reader.get(f"/imports/{plan}/steps").status_code == 200
    assert reader.get("/exports").status_code == 200


def test_all_errors_at_once_and_nothing_kept(world):
    ada = Api(world.ada)
    response = ada.post("/imports", {"sites": [{"groupName": "A", "payerId": "x"}, {"group/~Nam": ""}]})
    assert_problem(response, 400, BAD_BODY)
    assert [error["pointer"] for error in response.data["errors"]] == ["/sites/0/payerId", "/sites/1/group~1~0Nam"]
    assert "has 2 errors" in response.data["detail"]
    assert "upload.json, sites, row 1, column payerId: 'x': " in response.data["errors"][0]["detail"]

    rows = [[f"Site {number}", "x"] for number in range(150)]
    response = ada.post("/imports?table=sites", table(["groupName", "payerId"], *rows), content_type=CSV)
    assert (len(response.data["errors"]), response.data["errors"][0]["pointer"]) == (100, "/2/payerId")
    assert "has 150 errors" in response.data["detail"]
    assert ImportPlan.objects.count() == 0


GARBAGE = {
    "text/csv": [b"\x00\xff", b"a", b"groupName\n\xff", b'"', b"groupName\n" + b"\xed\xa0\x80"],
    "application/json": [b"{", b"[", b"null", b"3", b'"x"', b"[" * 100_000, b'{"sites": {}}', b'{"sites": [[]]}'],
    MEDIA_TYPES["xlsx"]: [b"PK\x03\x04", b"PK\x05\x06" + b"\x00" * 18, b"x"],
    "application/zip": [b"PK\x03\x04" + b"\x00" * 40],
    "application/octet-stream": [b"\x1f\x8b\x08", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"<html>", b"%PDF-1.4"],
}


def test_garbage(world):
    ada = Api(world.ada)
    for kind, bodies in GARBAGE.items():
        for body in bodies:
            assert_problem(ada.post("/imports", body, content_type=kind), 400, BAD_BODY)
    for text in (rb"\u0000", rb"\ud800", b"x" * 300):
        for place in (b'{"sites": [{"groupName": "%s"}]}', b'{"sites": [{"%s": 1}]}', b'{"%s": [{}]}', b'{"%s": 1}'):
            assert_problem(ada.post("/imports", place % text), 400, BAD_BODY)
    assert ImportPlan.objects.count() == 0


def form(*parts):
    """The body of a form, and its media type; a part is its headers and its content."""
    body = b"".join(b"--X\r\n%s\r\n\r\n%s\r\n" % (head.encode(), content) for head, content in parts)
    return body + b"--X--\r\n", "multipart/form-data; boundary=X"


def part(name="file", more='; filename="sites.csv"'):
    return f'Content-Disposition: form-data; name="{name}"{more}'


CONTENT = table(["parent", "groupName"], ["Airport", "Terminal 2"])


def test_files_come_as_they_are_or_in_a_form(world, settings):
    ada = Api(world.ada)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 50
    for kind in ("text/csv", "TEXT/CSV; charset=utf-8", "application/octet-stream"):
        assert ada.get(f"/imports/{planned(ada, CONTENT, content_type=kind)}").data["counts"]["sites"]["created"] == 1
    body, kind = form((part(), CONTENT))
    for query, name in (("", "sites.csv"), ("?fileName=other.csv", "other.csv")):
        assert ada.get(f"/imports/{planned(ada, body, query, content_type=kind)}").data["fileName"] == name

    for body, kind in (
        form(),
        form((part("other"), CONTENT)),
        form((part(), CONTENT), (part(), CONTENT)),
        form((part(), CONTENT), (part("table", ""), b"sites")),
        form((part("file", ""), CONTENT)),
        form((part(), b"")),
        form((part("file", "; filename*=nonsense''a%41"), CONTENT)),
        form((part() + "\r\nContent-Transfer-Encoding: base64", b"\xff!")),
        (form((part(), CONTENT))[0], "multipart/form-data"),
        (b"", "text/csv"),
        (b"x", "multipart/form-data; boundary=X"),
    ):
        response = ada.post("/imports", body, content_type=kind)
        assert_problem(response, 400, BAD_BODY)
        assert response.data["detail"] != BAD_BODY
    for kind in ("application/x-www-form-urlencoded", "image/png", "nonsense"):
        response = ada.post("/imports", CONTENT, content_type=kind)
        assert_problem(response, 415, NO_FILE)
        assert "text/csv" in response.data["detail"]


def test_too_large(world, settings):
    settings.IMPORT_MAX_MEGABYTES = 1
    ada = Api(world.ada)
    rows = b"\r\n".join(b"Airport,Terminal %d,%s" % (number, b"x" * 250) for number in range(4_000))
    for body, kind in ((b"x" * 1_000_001, CSV), form((part(), b"x" * 1_000_000))):
        response = ada.post("/imports", body, content_type=kind)
        assert_problem(response, 413, "The body is too large")
        assert "1 MB" in response.data["detail"]
    # More than Django takes of any other body.
    settings.IMPORT_MAX_MEGABYTES = 100
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    assert len(rows) > 1_000_000
    assert planned(ada, b"parent,groupName,costName\r\n" + rows[:20_000].rpartition(b"\r\n")[0], content_type=CSV)


@pytest.mark.parametrize("kind", [CSV, form()[1]])
def test_half_a_file_is_none(kind):
    body, _kind = form((part(), CONTENT))
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": kind,
        "CONTENT_LENGTH": str(len(body) + 1),
        "wsgi.input": io.BytesIO(body),
    }
    with pytest.raises(BadBody, match="Incomplete request body"):
        read_upload(WSGIRequest(environ), 1000)


def test_who_is_signed_in_to_the_admin_imports_too(world):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(world.ada)
    body, kind = form((part(), CONTENT))
    assert browser.post("/api/v1/imports", body, kind).status_code == 403
    browser.get("/admin/password_change/")
    token = browser.cookies["csrftoken"].value
    for sent, media_type in ((body, kind), (CONTENT, CSV)):
        response = browser.post("/api/v1/imports", sent, media_type, headers={"X-CSRFToken": token})
        assert response.status_code == 201, response.content


def test_wrong_parameters(world):
    ada = Api(world.ada)
    plan = planned(ada, SITES)
    for path, name, hint in (
        ("/imports?format=irv", "format", "Did you mean irve?"),
        ("/imports?format=", "format", "Must be one of"),
        ("/imports?table=charger", "table", "Did you mean chargers?"),
        ("/imports?tabel=sites", "tabel", "Did you mean table?"),
        ("/imports?fileName=a%00b", "fileName", "printable"),
        ("/imports?fileName=" + "x" * 256, "fileName", "255"),
        ("/imports?pruneSite=%00", "pruneSite", "printable"),
        ("/imports?pruneSite=/&pruneSite=/", "pruneSite", "once"),
        ("/imports?limit=1", "limit", "Unknown parameter"),
    ):
        response = ada.post(path, SITES)
        assert_problem(response, 400, BAD_ROUTE)
        (error,) = response.data["errors"]
        assert (error["pointer"], hint in error["detail"]) == (name, True), error
    for path, name in (
        ("/imports?limit=0", "limit"),
        ("/imports?limit=1001", "limit"),
        ("/imports?offset=-1", "offset"),
        ("/imports?offset=99999999999", "offset"),
        ("/imports?format=irve", "format"),
        ("/imports/x", "planId"),
        ("/imports/applied/x", "importId"),
        ("/imports/99999999999999999999", "planId"),
        (f"/imports/{plan}/steps?action=deletd", "action"),
        (f"/imports/{plan}/steps?table=x", "table"),
        ("/exports?format=xls", "format"),
        ("/exports?format=csv", "table"),
        ("/exports?table=nothing", "table"),
        ("/exports?site=x", "site"),
        (f"/exports?site={world.depot.pk}", "site"),
        ("/exports?scope=all", "scope"),
    ):
        response = ada.get(path)
        assert_problem(response, 400, BAD_ROUTE)
        assert [error["pointer"] for error in response.data["errors"]] == [name]


def test_pruning(world):
    ada = Api(world.ada)
    assert_problem(ada.post("/imports?pruneSite=Nowhere", sites("Garage")), 400, BAD_BODY)
    plan = planned(ada, {"chargers": [{"chargerId": "GAR-1"}]}, "?pruneSite=Harbour%20/%20East%20car%20park")
    steps = ada.get(f"/imports/{plan}/steps").data["items"]
    assert [(step["action"], step["object"], step["row"]) for step in steps] == [("deleted", "GAR-2", 0)]
    assert ada.request("post", f"/imports/{plan}/apply").data["counts"]["chargers"]["deleted"] == 1
    assert sorted(Charger.objects.values_list("charger_id", flat=True)) == ["AIR-1", "DEP-1", "GAR-1", "QUAY-1"]


def test_pages(world):
    ada = Api(world.ada)
    plan = planned(ada, sites(*(f"Deck {number}" for number in range(5))))
    found, path = [], f"/imports/{plan}/steps?limit=2&action=created"
    while path:
        page = ada.get(path)
        assert page.headers.get("Link") == (f'<{page.data["next"]}>; rel="next"' if page.data["next"] else None)
        found += [step["object"].rpartition(" / ")[2] for step in page.data["items"]]
        path = (page.data["next"] or "").removeprefix("http://testserver/api/v1")
    assert found == [f"Deck {number}" for number in range(5)]
    newer = planned(ada, SITES)
    first = ada.get("/imports?limit=1").data
    assert [item["id"] for item in first["items"]] == [newer]
    second = ada.get(first["next"].removeprefix("http://testserver/api/v1")).data
    assert ([item["id"] for item in second["items"]], second["next"]) == ([plan], None)


def test_plans_that_cannot_be_applied(world):
    ada = Api(world.ada)
    old = planned(ada, SITES)
    ImportPlan.objects.update(created_at=timezone.now() - ImportPlan.KEPT_FOR - datetime.timedelta(minutes=1))
    assert ada.get(f"/imports/{old}").data["state"] == "expired"
    assert_problem(ada.request("post", f"/imports/{old}/apply"), 409, CONFLICT)
    # One with errors, as the admin keeps it.
    caller = Caller(world.ada.scope(), "Ada", "admin")
    request = imports.ImportRequest("wrong.json")
    wrong = imports.import_plan(caller, world.northwind, b'{"sites": [{"groupName": ""}]}', request).pk
    answer = ada.get(f"/imports/{wrong}").data
    assert (answer["state"], answer["errorCount"], answer["counts"]) == ("withErrors", 2, {})
    assert list(answer["errors"][0]) == ["sheet", "row", "column", "value", "message"]
    for method, path in (("get", "steps"), ("post", "apply")):
        assert_problem(ada.request(method, f"/imports/{wrong}/{path}"), 409, CONFLICT)
    nothing = planned(ada, {"chargers": [{"chargerId": "GAR-1"}]})
    response = ada.request("post", f"/imports/{nothing}/apply")
    assert_problem(response, 409, CONFLICT)
    assert "nothing to do" in response.data["detail"]
    assert Import.objects.count() == 0


def test_warnings(world):
    content = Path("tests/data/irve-statique.csv").read_bytes()
    ada = Api(world.ada)
    answer = ada.post("/imports?format=irve", content, content_type=CSV).data
    assert answer["format"] == "irve"
    assert answer["warningCount"] == len(answer["warnings"]) > 0
    assert answer["notes"] == ada.get(f"/imports/{answer['id']}").data["notes"]


def test_what_is_exported_can_be_imported(world):
    for kind in files.KINDS:
        for operator, chargers in ((world.ada, 4), (world.rob, 2)):
            api = Api(operator)
            query = "&table=chargers" if kind == "csv" else ""
            response = api.get(f"/exports?format={kind}{query}", accept="image/png")
            assert response.status_code == 200
            assert response.headers["Content-Type"].split(";")[0] == MEDIA_TYPES[kind]
            name = f"{'chargers' if query else 'network'}.{kind}"
            assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'
            assert response.headers["Content-Length"] == str(len(response.body))
            assert response.headers["Cache-Control"] == "private, no-cache"
            plan = api.post("/imports", response.body, content_type=MEDIA_TYPES[kind])
            assert plan.status_code == 201, plan.body
            assert plan.data["counts"]["chargers"]["unchanged"] == chargers
            assert api.get(f"/imports/{plan.data['id']}/steps").data["items"] == []


def test_answers_are_as_the_document_says(world, client):
    schema = json.loads(client.get("/api/schema").content)
    ada = Api(world.ada)
    plan = planned(ada, SITES)
    answers = {
        ("/imports", "post"): ada.post("/imports", SITES),
        ("/imports", "get"): ada.get("/imports"),
        ("/imports/{planId}", "get"): ada.get(f"/imports/{plan}"),
        ("/imports/{planId}/steps", "get"): ada.get(f"/imports/{plan}/steps"),
        ("/imports/{planId}/apply", "post"): ada.request("post", f"/imports/{plan}/apply"),
        ("/imports/applied", "get"): ada.get("/imports/applied"),
        ("/imports/applied/{importId}", "get"): ada.get(f"/imports/applied/{Import.objects.get().pk}"),
    }
    for (path, method), answer in answers.items():
        described = schema["paths"][f"/api/v1{path}"][method]["responses"][str(answer.status_code)]["content"]
        content = described["application/json"]
        validator = jsonschema.Draft202012Validator({**content["schema"], "components": schema["components"]})
        validator.validate(answer.data)
        for example in content["examples"].values():
            validator.validate(resolved(schema, example)["value"])


def test_a_part_of_the_network(world):
    ada = Api(world.ada)
    assert "DEP-1" not in ada.get("/exports?format=csv&table=chargers").body.decode()
    answer = ada.get(f"/exports?format=json&site={world.east.pk}&table=chargers").data
    assert {table: [row["chargerId"] for row in rows] for table, rows in answer.items()} == {
        "chargers": ["GAR-1", "GAR-2"]
    }
    # A table is called as in files, or as in the counts of imports, and comes as files have it.
    tables = {name: ada.get(f"/exports?format=json&table={name}").data for name in ("rights", "siteRights", "tags")}
    assert {name: (list(answer), *map(len, answer.values())) for name, answer in tables.items()} == {
        "rights": (["rights"], 2),
        "siteRights": (["rights"], 1),
        "tags": (["tags"], 2),
    }
    assert tables["siteRights"]["rights"][0]["group"] == "Harbour"
    plan = ada.post("/imports", tables["siteRights"]).data
    assert plan["counts"]["siteRights"]["unchanged"] == 1
    for name in plan["counts"]:
        assert ada.get(f"/exports?format=csv&table={name}").status_code == 200, name
    assert ada.request("head", "/exports").status_code == 200
    assert Api(world.nell).get("/exports?format=json&table=sites").data == {"sites": []}
    assert_problem(Api().get("/exports"), 401, "Customer not found or not authorised")


def test_what_a_format_cannot_hold(world, monkeypatch):
    def unwritable(*args):
        raise files.Unwritable("Too long for a cell.")

    monkeypatch.setattr("hierarchy.views.exports.export", unwritable)
    response = Api(world.ada).get("/exports")
    assert_problem(response, 400, BAD_ROUTE)
    assert response.data["errors"][0] == {
        "pointer": "format",
        "code": "unwritable",
        "detail": "Too long for a cell.",
    }
