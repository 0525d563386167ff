"""The tags of nested answers: whoever has the bytes already does not get them again, and nobody keeps old ones."""

import dataclasses
import datetime

from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bulk import imports
from chargers.models import Charger, Socket
from chargers.status import StatusReport, apply_reports
from drivers.models import Driver, SiteRight
from hierarchy import revision, tree_check
from hierarchy.models import Site
from hierarchy.scoping import Caller
from operators.models import Operator, SiteGrant
from tests.client import Api, assert_problem
from tests.conftest import NOON, made
from tests.networks import RandomNetwork


def addresses(site, charger, driver):
    return [
        "/sites/tree",
        "/sites/tree?excludeDetails=true",
        f"/sites/{site.pk}/tree",
        f"/sites/{site.pk}/home-drivers",
        f"/sites/{site.pk}/home-operators",
        f"/sites/{site.pk}/authorised-drivers",
        "/operators/tree",
        "/operators/tree?excludeHierarchy=true",
        "/drivers/tree",
        f"/drivers/{driver.pk}",
        f"/chargers/{charger.charger_id}/authorised-drivers",
        f"/chargers/{charger.charger_id}/authorised-drivers?explain=true",
    ]


def test_it_works(world, django_assert_num_queries):
    api = Api(world.ada)
    api.get("/me")
    for path in addresses(world.harbour, world.quay_1, world.dora):
        first = api.get(path)
        tag = first.headers["ETag"]
        assert tag.startswith('W/"') and first.body
        with django_assert_num_queries(2):  # the key, the state of the network
            again = api.get(path, if_none_match=f'"other", {tag}')
        assert (again.status_code, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert "Content-Type" not in again.headers and "Content-Length" not in again.headers
        assert "Accept-Encoding" in again.headers["Vary"]
        for header in ("Cache-Control", "Vary", "X-Request-ID"):
            assert again.headers[header]
        assert api.get(path).headers["ETag"] == tag, "Nothing happened in between."
        head = api.request("head", path)
        assert (head.headers["ETag"], head.body) == (tag, b"")
        assert api.request("head", path, if_none_match=tag).status_code == 304


def test_who_sees_other_things_or_asks_for_other_things_has_other_tags(world):
    rob, ada = Api(world.rob), Api(world.ada)
    asked = [
        (api, path)
        for api in (rob, ada)
        for path in ("/sites/tree", "/sites/tree?excludeDetails=true", "/drivers/tree")
    ]
    tags = [api.get(path).headers["ETag"] for api, path in asked]
    assert len(set(tags)) == len(tags)
    for number, (api, path) in enumerate(asked):
        others = ", ".join(tag for tag in tags if tag != tags[number])
        assert api.get(path, if_none_match=others).status_code == 200


def test_what_is_not_there_is_not_unchanged(world):
    api = Api(world.ada)
    tag = api.get("/sites/tree").headers["ETag"]
    for known in ("*", tag):
        assert_problem(api.get("/drivers/0", if_none_match=known), 404, "Driver not found for the customer")
        assert "ETag" not in api.get("/drivers/0").headers
        wrong = api.get("/sites/tree?excludeDetails=2", if_none_match=known)
        assert_problem(wrong, 400, "Exception occured")
    assert api.get("/sites/tree", if_none_match="*").status_code == 304
    assert api.get("/sites/tree", if_match="*").status_code == 200
    assert api.get("/sites/tree", if_match='"3"').status_code == 412
    assert api.get("/sites/tree", if_none_match="unquoted").status_code == 400


def test_who_was_let_in_before_a_grant_does_not_get_the_tag_of_who_comes_after_it(world):
    """The grants are read before the snapshot is: one may come in between."""
    before = world.rob.scope()
    scopes = [before, *(dataclasses.replace(before, **new) for new in ({"root_ids": {1}}, {"is_admin": True}))]
    assert len({revision.network_tag(scope, "/") for scope in scopes}) == 3


def renamed(site):
    row = Site.objects.get(pk=site.pk)
    row.name += "!"
    row.save()


def deleted(model, pk):
    model.objects.get(pk=pk).delete()


def reported(caller, charger, **values):
    """An applied report of a status that the charger or socket does not have."""
    row = Charger.objects.get(pk=charger.pk)
    at = max(row.last_seen or NOON, row.reported_at or NOON) + datetime.timedelta(seconds=1)
    status = "Error" if row.status != "Error" else "Available"
    return apply_reports(caller, [StatusReport(charger.charger_id, status, at, is_connected=True, **values)])


def imported(caller, customer, text):
    plan = imports.import_plan(caller, customer, text, imports.ImportRequest("sites.csv", "", "sites", ""))
    assert not plan.findings["errorCount"], plan.findings
    imports.import_apply(caller, plan)


def test_other_bytes_have_another_tag_whatever_was_written(db):
    network = RandomNetwork(3, sites=5, chargers=4, drivers=3, operators=3)
    site, charger, driver = network.sites[0], network.chargers[0], network.drivers[0]
    operator = network.operators[0]
    colleague = made(Operator, customer=network.customer, email="part@customer.example", name="Part")
    caller = Caller(operator.scope(), operator.email, "api")
    socket = made(Socket, charger=Charger.objects.get(pk=charger.pk), number=100)
    extra = made(Site, customer=network.customer, name="Extra")
    right = SiteRight(driver=driver, site=extra)
    newcomer = Operator(customer=network.customer, email="new@customer.example", name="New", home_site=site)
    grant = SiteGrant(operator=colleague, site=extra)
    below = Site(parent=extra, name="Below")
    writes = {
        "a name": lambda: renamed(site),
        "a report": lambda: reported(caller, charger),
        "a report of a message": lambda: reported(caller, charger, message="Hello again"),
        "a report of a socket": lambda: apply_reports(
            caller, [StatusReport(charger.charger_id, "Reserved", NOON, socket_number=socket.number)]
        ),
        "a right": right.save,
        "no right": lambda: deleted(SiteRight, right.pk),
        "an operator": newcomer.save,
        "a grant": grant.save,
        "no grant": lambda: deleted(SiteGrant, grant.pk),
        "a subsite": below.save,
        "a move": lambda: Site.objects.get(pk=extra.pk).move(Site.objects.get(pk=site.pk)),
        "a deletion": lambda: deleted(Site, below.pk),
        "an import": lambda: imported(caller, network.customer, b"groupName,externalId,costId\r\nImported,I-1,7\r\n"),
        "a driver": lambda: made(Driver, home_site=site, name="Newcomer"),
    }
    whole, part = Api(operator), Api(colleague)
    paths = [
        "/sites/tree",
        "/sites/tree?excludeDetails=true",
        "/operators/tree",
        "/drivers/tree",
        f"/drivers/{driver.pk}",
    ]
    asked = [*((whole, path) for path in paths), (part, "/sites/tree"), (part, "/operators/tree")]

    def seen():
        answers = [api.get(path) for api, path in asked]
        return {place: (got.headers["ETag"], got.body) for place, got in enumerate(answers) if got.status_code == 200}

    before, unnoticed = seen(), []
    for name, write in writes.items():
        write()
        after = seen()
        changed = [place for place in after if place in before and after[place][1] != before[place][1]]
        unnoticed += [(name, asked[place]) for place in changed if after[place][0] == before[place][0]]
        assert changed, f"{name}: no answer changed, so the test would see nothing."
        before = after
    assert not unnoticed


def test_trees_that_were_mended_have_other_tags(world):
    api = Api(world.ada)
    tag = api.get("/sites/tree").headers["ETag"]
    Site._base_manager.filter(pk=world.garage.pk).update(lft=1, rght=99)
    assert tree_check.repair(Caller(world.ada.scope(), "tests", "command"))
    assert api.get("/sites/tree").headers["ETag"] != tag


def test_neither_another_version_nor_a_restored_database_answers_with_old_tags(world, monkeypatch):
    api = Api(world.ada)
    tags = [api.get("/sites/tree").headers["ETag"]]
    with monkeypatch.context() as other:
        other.setattr(settings, "BUILD_ID", "another")
        tags.append(api.get("/sites/tree").headers["ETag"])
    with CaptureQueriesContext(connection):
        # As after a restore: the same sequence, reached by another change.
        counter = world.northwind.changecounter
        connection.cursor().execute(
            "UPDATE hierarchy_change SET at = %s WHERE customer_id = %s AND sequence = %s",
            [NOON, world.northwind.pk, type(counter).objects.get(pk=world.northwind.pk).sequence],
        )
    tags.append(api.get("/sites/tree").headers["ETag"])
    assert len(set(tags)) == 3


def test_other_customers_writes_do_not_matter(world):
    api = Api(world.ada)
    tag = api.get("/sites/tree").headers["ETag"]
    renamed(world.depot)
    sue = Caller(world.sue.scope(), "tests", "api")
    assert reported(sue, world.dep_1) == ["applied"]
    assert api.get("/sites/tree", if_none_match=tag).status_code == 304
    outdated = StatusReport("QUAY-1", "Error", NOON - datetime.timedelta(days=1))
    ada = Caller(world.ada.scope(), "tests", "api")
    apply_reports(ada, [StatusReport("QUAY-1", "Error", NOON + datetime.timedelta(days=1))])
    tag = api.get("/sites/tree").headers["ETag"]
    assert apply_reports(ada, [outdated]) == ["outdated"]
    assert api.get("/sites/tree", if_none_match=tag).status_code == 304
