"""Taking back what the journal tells: what comes back, what does not, and what stands in the way."""

import pytest
from django.core.exceptions import ValidationError

from chargers.models import Charger, Socket
from drivers.models import Driver, SiteRight, Tag
from hierarchy import journal, restore, services
from hierarchy.errors import Conflict, NotFound, NotPermitted
from hierarchy.journal_references import PERSONS, PLACES
from hierarchy.models import Change, Customer, Site
from hierarchy.object_history import kinds, lines_of
from hierarchy.restore import RESTORE, UNDO
from hierarchy.scoping import Caller
from operators.models import ApiKey, Operator, SiteGrant, Webhook
from tests.conftest import made


def caller_of(operator, request_id="r-1"):
    return Caller(operator.scope(), operator.email, journal.ADMIN, request_id)


def written(caller, row, **values):
    """The newest line of a row, after a change of it."""
    row.refresh_from_db()
    for name, value in values.items():
        setattr(row, name, value)
    services.save(caller, row)
    return newest(row)


def newest(row, pk=None):
    return Change.objects.filter(object_type=row._meta.model_name, object_id=pk or row.pk).first()


def take_back(caller, line, way=UNDO, without=()):
    restore.write(caller, restore.plan(caller.scope, line, way), without)


def test_it_works(world):
    """A change is undone, whatever else was changed since; the state after it is what all columns were then."""
    ada = caller_of(world.ada)
    first = written(ada, world.quay_1, name="Pier", city="Delft", capabilities=["A"], latitude=None, longitude=None)
    second = written(ada, world.quay_1, name="Jetty", manufacturer="Other", custom_properties={})

    found = restore.plan(ada.scope, first, UNDO)
    assert {one.name: (one.now, one.then, one.is_newer) for one in found.columns} == {
        "name": ("Jetty", "Quay one", True),
        "city": ("Delft", "Utrecht", False),
        "capabilities": (["A"], ["REMOTE_START_STOP_CAPABLE"], False),
        "latitude": (None, 52.0907, False),
        "longitude": (None, 5.1214, False),
    }
    take_back(ada, first)
    world.quay_1.refresh_from_db()
    assert (world.quay_1.name, world.quay_1.city, world.quay_1.manufacturer) == ("Quay one", "Utrecht", "Other")
    line = newest(world.quay_1)
    assert (line.action, line.actor_label) == ("changed", f"ada@northwind.example (restores line {first.pk})")

    take_back(ada, first, RESTORE)
    world.quay_1.refresh_from_db()
    assert (world.quay_1.name, world.quay_1.manufacturer, world.quay_1.latitude) == ("Pier", "Alfen", None)
    assert world.quay_1.custom_properties == {"owner": "Port", "asset": "17"}
    assert restore.plan(ada.scope, first, RESTORE).refusal
    # Somebody changes the row after it was looked at.
    found = restore.plan(ada.scope, second, UNDO)
    written(ada, world.quay_1, name="Quicker")
    with pytest.raises(Conflict, match="was changed by someone else"):
        restore.write(ada, found)


def test_a_deleted_row_comes_back_with_what_went_with_it(world):
    ada = caller_of(world.ada)
    before = list(Tag.objects.filter(driver=world.dora).order_by("pk").values_list("pk", "id_tag", "expires_at"))
    dora, version = world.dora.pk, world.dora.version
    services.delete(ada, world.dora)
    line = newest(world.dora, dora)
    found = restore.plan(ada.scope, line, UNDO)
    assert sorted(type(row).__name__ for row in found.others) == ["IntegratedExternalId", "SiteRight", "Tag", "Tag"]
    assert restore.rehearse(ada, found) == {}
    assert not Driver.objects.filter(pk=dora).exists()

    take_back(ada, line)
    again = Driver.objects.get(pk=dora)
    assert (again.name, again.external_id, again.payer_id, again.home_site) == ("Dora", "D/1", 4, world.garage)
    assert again.version > version
    assert list(Tag.objects.filter(driver=dora).order_by("pk").values_list("pk", "id_tag", "expires_at")) == before
    with pytest.raises(Conflict, match="already exists"):
        restore.plan(ada.scope, line, UNDO)

    # A tag that somebody else got meanwhile stays where it is; the rest comes back without it.
    services.delete(ada, again)
    made(Tag, driver=world.dirk, id_tag="04a1b2c3")
    line = newest(world.dora, dora)
    refused = restore.rehearse(ada, restore.plan(ada.scope, line, UNDO))
    assert list(refused) == [f"tag.{before[0][0]}"]
    with pytest.raises(ValidationError, match="already in use"):
        take_back(ada, line)
    assert not Driver.objects.filter(pk=dora).exists()
    take_back(ada, line, without=list(refused))
    assert Tag.objects.filter(driver=dora).count() == len(before) - 1

    # A state before the deletion is that of then; the change itself is not undone while the row is gone.
    renamed = written(ada, again, name="Dorothea")
    first = Change.objects.filter(object_type="driver", object_id=dora).last()
    services.delete(ada, Driver.objects.get(pk=dora))
    with pytest.raises(Conflict, match="Restore it first"):
        restore.plan(ada.scope, renamed, UNDO)
    take_back(ada, first, RESTORE)
    assert Driver.objects.get(pk=dora).name == "Dora"


def test_what_a_row_got_on_its_way_out_is_not_restored_by_who_saw_it_leave(world):
    ada = caller_of(world.ada)
    left = written(ada, world.gar_1, site=world.west, city="Hidden")
    written(ada, world.gar_1, city="")
    written(ada, world.gar_1, site=world.garage)
    with pytest.raises(NotFound):
        restore.plan(caller_of(world.rob).scope, left, RESTORE)
    assert restore.plan(ada.scope, left, RESTORE).row.city == "Hidden"


def test_what_is_restored_cannot_be_left_out(world):
    caller = caller_of(world.ada)
    pk = world.spike.pk
    services.delete(caller, world.spike)
    take_back(caller, newest(Driver, pk), without=[f"driver.{pk}"])
    assert Driver.objects.filter(pk=pk).exists()


def test_a_site_comes_back_where_it_was(world):
    ada = caller_of(world.ada)
    pier = services.save(ada, Site(parent=world.harbour, name="Pier", cost_id="7"))
    pk = pier.pk
    made(SiteRight, driver=world.dora, site=pier)
    services.delete(ada, pier)
    line = newest(pier, pk)
    take_back(ada, line)
    again = Site.objects.get(pk=pk)
    assert (again.parent, again.cost_id, again.level) == (world.harbour, "7", 1)
    assert SiteRight.objects.filter(site=again, driver=world.dora).exists()
    # The site above is gone: there is no place to come back to.
    moved = written(ada, again, parent=world.west)
    services.delete(ada, again)
    services.delete(ada, Site.objects.get(pk=world.west.pk))
    found = restore.plan(ada.scope, newest(pier, pk), UNDO)
    assert f"site.{pk}" in restore.rehearse(ada, found)
    assert moved.from_path is not None


def test_rights_are_those_of_now(world):
    ada, rob = caller_of(world.ada), caller_of(world.rob)
    here = written(ada, world.gar_1, name="Other")
    take_back(rob, here)
    away = written(ada, world.quay_1, name="Other")
    with pytest.raises(NotFound):
        restore.plan(rob.scope, away, UNDO)
    # It came from where Rob sees nothing: what it was before is none of his business.
    moved = written(ada, world.quay_1, site=world.garage)
    with pytest.raises((NotPermitted, ValidationError)):
        take_back(rob, moved)
    for line in (away, here):
        with pytest.raises(NotFound):
            restore.plan(caller_of(world.sue).scope, line, UNDO)
    # Rob may not make admin operators, by no way.
    lifted = written(ada, world.nell, is_admin_operator=True, home_site=world.east)
    written(ada, world.nell, is_admin_operator=False)
    with pytest.raises(NotPermitted):
        take_back(rob, lifted, RESTORE)
    gone_right = SiteRight.objects.get(driver=world.dora)
    pk = gone_right.pk
    services.delete(ada, gone_right)
    with pytest.raises(NotFound):
        restore.plan(rob.scope, newest(gone_right, pk), UNDO)


def test_secrets_never_come_back(world):
    ada = caller_of(world.ada)
    key = made(ApiKey, operator=world.rob, name="Backend", hint="ctk_abcd", digest="d1")
    hook = made(Webhook, operator=world.rob, name="ERP", url="https://erp.example/", seed="s1")
    world.rob.set_password("another horse battery")
    secret = written(ada, world.rob, password=world.rob.password, name="Robert")
    assert not restore.can_return(newest(key))
    revoked = written(ada, key, revoked_at="2026-01-01T00:00:00Z")
    for line in (revoked, newest(world.northwind)):
        with pytest.raises(Conflict):
            restore.plan(caller_of(world.pat).scope, line, UNDO)
    # Of an operator all comes back but the password; with it, grants and webhooks, but no key.
    found = restore.plan(ada.scope, secret, UNDO)
    assert ([one.name for one in found.columns], found.kept) == (["name"], ["password"])
    rob, pk = world.rob, world.rob.pk
    SiteGrant.objects.filter(operator=rob).get()
    services.delete(ada, Operator.objects.get(pk=pk))
    take_back(ada, newest(rob, pk))
    again = Operator.objects.get(pk=pk)
    assert (again.email, again.home_site, again.has_usable_password()) == ("rob@northwind.example", world.east, False)
    assert SiteGrant.objects.filter(operator=again, site=world.east).exists()
    assert not ApiKey.objects.filter(operator=again).exists()
    assert Webhook.objects.get(pk=hook.pk).seed != "s1"


def test_creations_are_undone_by_deleting(world):
    ada = caller_of(world.ada)
    assert restore.plan(ada.scope, newest(world.air_1), UNDO) is None
    assert isinstance(world.southwind, Customer)
    with pytest.raises(NotFound):
        restore.plan(ada.scope, newest(world.dep_1), UNDO)


def test_history_finds_what_belonged_to_a_row(world):
    """By the journal alone, whatever is gone."""
    ada = caller_of(world.ada)
    services.delete(ada, world.dora_fob)
    written(ada, world.dora_card, token_name="New")
    right = SiteRight.objects.get(driver=world.dora)
    services.delete(ada, right)

    def told(row, scope=ada.scope, **kwargs):
        found = lines_of(type(row), row.pk, scope, **kwargs)
        return [(line.action, line.natural_key) for line in found]

    assert told(world.dora)[:3] == [
        ("deleted", "Dora @ Harbour"), ("changed", "04A1B2C3"), ("deleted", "04FFEE01")
    ]  # fmt: skip
    assert len(told(world.dora)) == 8
    assert told(world.dora, only_own=True) == [("created", "Dora")]
    # Rob does not see rights on Harbour, nor what they were.
    assert ("deleted", "Dora @ Harbour") not in told(world.dora, world.rob.scope())
    assert told(world.dora, world.sue.scope()) == []

    # At a site: what came and what left, and not what happens to it there.
    written(ada, world.gar_1, site=world.west)
    written(ada, world.gar_1, name="Renamed")
    services.delete(ada, Socket.objects.get(charger=world.gar_1))
    assert ("moved", "GAR-1") in told(world.garage)
    assert told(world.west) == [("moved", "GAR-1"), ("created", "West car park")]
    assert ("deleted", "GAR-1 #1") in told(world.gar_1)
    written(ada, world.garage, parent=world.west)
    assert told(world.west)[0] == told(world.east)[0] == ("moved", "Garage")
    assert ("created", "rob@northwind.example @ East car park") in told(world.rob)


def test_every_reference_is_found():
    """A kind of row has at most one column of either group: otherwise one of two would be overlooked."""
    for kind, model in kinds().items():
        columns = {one.name for one in model.journaled_fields() if one.is_relation}
        assert columns <= {*PERSONS, *PLACES}, kind
        assert len(columns & {*PERSONS}) <= 1, kind
        assert len(columns & {*PLACES}) <= 1, kind
    assert Charger in kinds().values()
