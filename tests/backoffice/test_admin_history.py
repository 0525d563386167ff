"""The log, the history of an object, and taking changes back, as people do it in the browser."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backoffice import log
from chargers.models import Charger, Socket
from drivers.models import Driver, SiteRight, Tag
from hierarchy import journal, services
from hierarchy.models import Change, Customer, Import, Site
from hierarchy.scoping import Caller
from operators.models import ApiKey
from tests.backoffice.admin_pages import address
from tests.conftest import made

LOG = address(Change, "changelist")


@pytest.fixture
def ada(client, world):
    client.force_login(world.ada)
    return client


def caller_of(operator, request_id="r-1", source=journal.ADMIN):
    return Caller(operator.scope(), operator.email, source, request_id)


def written(caller, row, **values):
    row.refresh_from_db()
    for name, value in values.items():
        setattr(row, name, value)
    services.save(caller, row)
    return newest(row)


def newest(row, pk=None):
    return Change.objects.filter(object_type=row._meta.model_name, object_id=pk or row.pk).first()


def keys(response):
    return [line.change.natural_key for line in response.context["cl"].lines]


def found(client, **asked):
    response = client.get(LOG, asked)
    assert response.status_code == 200
    return keys(response)


def text_of(response):
    return " ".join(response.content.decode().split())


def test_the_log_is_searched_and_filtered(ada, world, monkeypatch):
    caller = caller_of(world.ada, "r-17")
    written(caller, world.gar_1, city="Rotterdam")
    key = made(ApiKey, operator=world.ada, name="Backend", hint="ctk_abcd", digest="d")
    written(Caller(world.ada.scope(), f"Backend of {world.ada.email}", journal.API, "r-18"), world.dora, name="Dorothy")
    with journal.recording(caller) as recorder:
        record = made(Import, customer=world.northwind, file_name="more.csv", format="csv")
        recorder.import_id = record.pk
        made(Site, parent=world.west, name="Imported")
    assert ada.get(LOG, {"nonsense": "1"}).status_code == 400
    today, everything = timezone.now().date().isoformat(), len(found(ada))
    assert found(ada, q="rotterdam") == ["GAR-1"]
    # An old value; and what is also the name of a column is looked for among names alone.
    assert found(ada, q="Dora", kind="driver", action="changed") == ["Dorothy"]
    assert "only object names were searched" in text_of(ada.get(LOG, {"q": "city"}))
    assert found(ada, q="city") == []
    assert found(ada, who="backend OF") == found(ada, road="api") == found(ada, request="r-18") == ["Dorothy"]
    assert found(ada, import_id=record.pk) == ["Imported", "more.csv"]
    assert found(ada, object=f"driver.{world.dora.pk}") == ["Dorothy", "Dora"]
    assert "Backend" in found(ada, kind="apikey")[0]
    assert found(ada, site=world.west.pk) == ["Imported", "West car park"]
    assert len(found(ada, span="today")) == len(found(ada, span="30")) == len(found(ada, since=today)) == everything
    assert found(ada, until="2020-01-01", span="chosen") == found(ada, before="1") == []
    for wrong in ({"since": "2026-02-01", "until": "2026-01-01"}, {"object": "driver"}, {"before": "x"}, {"kind": "x"},
                  {"site": world.depot.pk}, {"since": "9999-12-31"}, {"since": "0001-01-01"}, {"until": "9999-12-31"},
                  {"q": "\0'\"%\\"}, {"import_id": "9" * 30}, {"p": "99999"}, {"q": "x" * 400}):  # fmt: skip
        assert ada.get(LOG, wrong).status_code == 200
    assert "This is before the first day" in text_of(ada.get(LOG, {"since": "2026-02-01", "until": "2026-01-01"}))
    # So far back and no further, until a link leads there.
    monkeypatch.setattr(log, "WINDOW", 2)
    response = ada.get(LOG, {"q": "Rotterdam"})
    assert keys(response) == []
    while "Search further back" in text_of(response):
        response = ada.get(LOG + response.context["cl"].older)
        if keys(response):
            break
    assert keys(response) == ["GAR-1"]
    monkeypatch.setattr(log, "MAX_COUNTED", 10)
    response = ada.get(LOG)
    assert response.context["cl"].result_count == 10
    assert set(keys(ada.get(LOG + response.context["cl"].older))).isdisjoint([str(key), "Imported"])


def test_lines_name_what_is_gone_and_hide_what_is_out_of_sight(client, world):
    caller = caller_of(world.ada)
    pier = services.save(caller, Site(parent=world.east, name="Pier"))
    far = services.save(caller, Site(parent=world.west, name="Quiet pier"))
    written(caller, world.gar_1, site=pier)
    written(caller, world.gar_1, site=world.garage)
    written(caller, world.gar_2, site=far, name="Renamed on the way")
    written(caller, world.gar_2, site=world.garage)
    pks = (pier.pk, far.pk)
    services.delete(caller, pier)
    services.delete(caller, far)
    shown = {}
    for who in (world.ada, world.rob, world.sue):
        client.force_login(who)
        shown[who.name] = text_of(client.get(LOG))
    assert "Garage → <ins>Pier" in shown["Ada"].replace("</del>", "")
    for name, is_seen in (("Ada", True), ("Rob", False)):
        assert ("Quiet pier" in shown[name]) == is_seen
        assert ("Renamed on the way" in shown[name]) == is_seen
        assert "Pier" in shown[name]
    assert "GAR-" not in shown["Sue"]
    # What is there has a link; what is gone, has none.
    assert address(Charger, "change", world.gar_1.pk) in shown["Ada"]
    assert not any(address(Site, "change", pk) in shown["Ada"] for pk in pks)


def test_a_name_taken_on_the_way_out_is_nobodys_to_read_or_guess(client, world):
    caller = caller_of(world.ada)
    line = written(caller, world.gar_1, site=world.west, charger_id="SECRET-1", city="Hidden")
    client.force_login(world.rob)
    pages = (LOG, "/admin/", address(Change, "change", line.pk))
    for page in pages:
        text = text_of(client.get(page))
        assert "an object you have no access to" in text, page
        assert "SECRET" not in text, page
    assert found(client, q="SECRET-") == found(client, q="Hidd") == []
    written(caller, world.gar_1, charger_id="GAR-1", city="")
    written(caller, world.gar_1, site=world.garage)
    # It is back, and the state in which it left is not told either.
    assert address(Change, "restore", line.pk) not in text_of(client.get(LOG))
    assert client.get(address(Change, "restore", line.pk)).status_code == 404
    assert len(found(client, q="Garage one")) == 1
    client.force_login(world.ada)
    assert all("SECRET-1" in text_of(client.get(page)) for page in pages)
    assert found(client, q="SECRET-") == found(client, q="Hidd") == ["GAR-1", "SECRET-1"]


def test_history_tells_of_what_belongs_to_the_row(ada, world):
    written(caller_of(world.ada), world.dora_card, token_name="Blue card")
    services.delete(caller_of(world.ada), SiteRight.objects.get(driver=world.dora))
    page = address(Driver, "history", world.dora.pk)
    whole, own = text_of(ada.get(page)), text_of(ada.get(page, {"only": "row"}))
    for word in ("Blue card", "Dora @ Harbour", "Restore<", "F-77", "admin"):
        assert word in whole
        assert word not in own.replace("/admin", "") or word == "admin"
    assert 'aria-current="page">This object only' in own
    assert "This object only" not in text_of(ada.get(address(Tag, "history", world.dora_card.pk)))


def test_undoing_and_restoring_by_hand(ada, world):
    caller = caller_of(world.ada)
    line = written(caller, world.quay_1, name="Pier", city="Delft")
    latest = written(caller, world.quay_1, name="Jetty")
    history = ada.get(address(Charger, "history", world.quay_1.pk)).content.decode()
    # The state after the last line is the one of now.
    assert address(Change, "restore", line.pk) in history
    assert address(Change, "undo", latest.pk) in history and address(Change, "restore", latest.pk) not in history
    undo = address(Change, "undo", line.pk)
    page = ada.get(undo)
    assert "Changed again since then. These later values will be lost: <strong>Name" in text_of(page)
    version = page.context["row"].version
    assert Charger.objects.get(pk=world.quay_1.pk).name == "Jetty"

    written(caller, world.quay_1, area="Port")
    stale = ada.post(undo, {"row_version": version})
    assert stale.status_code == 409
    assert "was changed by someone else" in text_of(stale)
    for junk in ("", "x", "9" * 30):
        assert ada.post(undo, {"row_version": junk}).status_code == 409
    done = ada.post(undo, {"row_version": stale.context["row"].version}, follow=True)
    assert "QUAY-1 was restored to its earlier values" in text_of(done)
    world.quay_1.refresh_from_db()
    assert (world.quay_1.name, world.quay_1.city, world.quay_1.area) == ("Quay one", "Utrecht", "Port")
    assert "Nothing to undo" in text_of(ada.get(undo))
    assert ada.get(address(Change, "restore", line.pk)).status_code == 200

    # A creation leads to the deletion, a move to the page that says who gains and loses.
    assert ada.get(address(Change, "undo", newest(world.air_1).pk))["Location"] == address(
        Charger, "delete", world.air_1.pk
    )
    moved = written(caller, world.garage, parent=world.west)
    move = ada.get(address(Change, "undo", moved.pk))["Location"]
    assert move == f"{address(Site, 'move', world.garage.pk)}?to={world.east.pk}"
    assert "Move site" in text_of(ada.get(move))


def test_restoring_what_was_deleted(ada, world):
    caller, pk = caller_of(world.ada), world.dora.pk
    services.delete(caller, world.dora)
    made(Tag, driver=world.dirk, id_tag="04A1B2C3")
    line = newest(world.dora, pk)
    assert address(Change, "undo", line.pk) in text_of(ada.get(LOG))
    page = ada.get(address(Change, "undo", line.pk))
    text = text_of(page)
    assert "Tag: 04FFEE01" in text
    assert "Tag: 04A1B2C3: This ID tag is already in use." in text
    refused = ada.post(address(Change, "undo", line.pk))
    assert refused.status_code == 409
    assert not Driver.objects.filter(pk=pk).exists()
    without = [key for _name, _why, key in page.context["missing"]]
    assert "Dora was restored" in text_of(ada.post(address(Change, "undo", line.pk), {"without": without}, follow=True))
    assert [tag.id_tag for tag in Driver.objects.get(pk=pk).tags.all()] == ["04FFEE01"]
    # What stands in the way is said in plain words.
    services.delete(caller, Charger.objects.get(pk=world.gar_2.pk))
    services.save(caller, Charger(site=world.west, charger_id="GAR-2"))
    page = text_of(ada.get(address(Change, "undo", newest(world.gar_2, world.gar_2.pk).pk)))
    assert "This charger ID is already in use" in page
    assert "Restore</button>" not in page


def test_who_may_not_write_may_not_take_back(client, world):
    caller = caller_of(world.ada)
    lines = [written(caller, row, name="Other") for row in (world.quay_1, world.garage, world.rob)]
    services.delete(caller, Socket.objects.get(charger=world.air_1))
    lines += [Change.objects.first(), newest(world.dep_1), newest(world.northwind)]
    expected = {
        "nell": [404] * 6,
        "sue": [404] * 4 + [302, 404],
        "rob": [404, 200, 200, 404, 404, 404],
        "pat": [200] * 4 + [302, 200],
    }
    for who, statuses in expected.items():
        client.force_login(getattr(world, who))
        assert [client.get(address(Change, "undo", line.pk)).status_code for line in lines] == statuses, who
        if who != "pat":
            assert client.post(address(Change, "undo", lines[0].pk)).status_code == 404
    for junk in ("abc", "9" * 30, "-1"):
        assert client.get(f"/admin/hierarchy/change/{junk}/restore/").status_code == 404
    client.force_login(world.rob)
    assert "cannot change your own account" in text_of(client.get(address(Change, "undo", lines[2].pk)))
    assert Customer.objects.get(pk=world.northwind.pk).name == "Northwind"


def test_pages_take_a_constant_number_of_statements(ada, world):
    """Session, user, customer; the numbers of the lines, and the lines; what is there, and what is remembered."""

    def count():
        with CaptureQueriesContext(connection) as queries:
            assert ada.get(LOG).status_code == 200
        return len(queries)

    def grow(numbers):
        for number in numbers:
            site = made(Site, parent=world.west, name=f"S-{number}")
            for row in (made(Charger, site=site, charger_id=f"C-{number}"), site):
                row.delete()
            made(Tag, driver=world.spike, id_tag=f"T-{number}")

    grow(range(1))
    count()
    small = count()
    grow(range(1, 9))
    assert count() == small <= 8
