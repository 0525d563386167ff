"""The journal: a line for every write, with what was and what is; none for what did not happen; read in scope."""

import datetime

import pytest
from django.apps import apps
from django.contrib.auth.models import update_last_login
from django.core.exceptions import ValidationError
from django.db import transaction

from chargers.models import Charger, Socket
from drivers.models import ChargerRight, Driver, SiteRight, Tag
from hierarchy import journal, services
from hierarchy.entity import Entity
from hierarchy.models import Change, ChangeCounter, Customer, Import, Site
from hierarchy.scoping import Caller, Scope
from operators.models import ApiKey, Operator, SiteGrant, Webhook
from tests.conftest import NOON, made

pytestmark = pytest.mark.django_db


class Lines:
    """The lines that were written since it was made."""

    def __init__(self):
        self.start = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0

    def all(self):
        return list(Change.objects.filter(pk__gt=self.start).order_by("pk"))

    def short(self):
        return [(line.action, line.object_type, line.natural_key) for line in self.all()]

    def one(self):
        (line,) = self.all()
        return line


@pytest.fixture
def lines(world):
    return Lines()


def test_a_creation_says_what_is_not_empty(world, lines):
    site = made(Site, parent=world.east, name="Bay", payer_id=0)
    line = lines.one()
    assert (line.action, line.object_type, line.object_id, line.natural_key) == ("created", "site", site.pk, "Bay")
    assert line.fields == {
        "parent": [None, world.east.pk],
        "name": [None, "Bay"],
        "group_type": [None, 2],
        "payer_id": [None, 0],
    }
    assert line.site_path == f"/{world.harbour.pk}/{world.east.pk}/{site.pk}/"
    assert (line.driver_path, line.from_path, line.customer) == (None, None, world.northwind)


def test_a_change_says_the_old_and_the_new(world, lines):
    tag = world.dora_fob
    tag.token_name, tag.expires_at, tag.is_invoicable = "", None, True
    tag.save()
    line = lines.one()
    assert line.action == "changed"
    assert line.fields == {
        "token_name": ["Fob", None],
        "expires_at": ["2026-07-01T12:00:00Z", None],
        "is_invoicable": [False, True],
    }
    assert line.site_path == f"/{world.harbour.pk}/{world.east.pk}/{world.garage.pk}/"


def test_a_move_says_whence(world, lines):
    world.east.move(world.airport)
    line = lines.one()
    assert (line.action, line.fields) == ("moved", {"parent": [world.harbour.pk, world.airport.pk]})
    assert line.from_path == f"/{world.harbour.pk}/{world.east.pk}/"
    assert line.site_path == f"/{world.airport.pk}/{world.east.pk}/"


@pytest.mark.parametrize(("name", "field"), [("gar_1", "site"), ("dora", "home_site"), ("rob", "home_site")])
def test_what_changes_its_site_moves(world, lines, name, field):
    row = getattr(world, name)
    old = getattr(row, field)
    setattr(row, field, world.west)
    row.save()
    line = lines.one()
    assert (line.action, line.fields) == ("moved", {field: [old.pk, world.west.pk]})
    assert line.from_path.endswith(f"/{old.pk}/")
    assert line.site_path == f"/{world.harbour.pk}/{world.west.pk}/"


def test_a_driver_without_a_home_lies_nowhere(world, lines):
    world.dora.home_site = None
    world.dora.save()
    line = lines.one()
    assert (line.action, line.site_path) == ("moved", "")


def test_a_right_says_where_its_driver_lies(world, lines):
    made(SiteRight, driver=world.dirk, site=world.west)
    made(ChargerRight, driver=world.spike, charger=world.quay_1)
    right, other = lines.all()
    assert right.site_path == f"/{world.harbour.pk}/{world.west.pk}/"
    assert right.driver_path == f"/{world.airport.pk}/"
    assert (other.site_path, other.driver_path) == (f"/{world.harbour.pk}/", "")


def test_a_deletion_has_a_line_for_each_row_that_goes(world, lines):
    world.dora.delete()
    assert sorted(lines.short()) == [
        ("deleted", "driver", "Dora"),
        ("deleted", "integratedexternalid", "Dora fleet F-77"),
        ("deleted", "siteright", "Dora @ Harbour"),
        ("deleted", "tag", "04A1B2C3"),
        ("deleted", "tag", "04FFEE01"),
    ]
    assert lines.all()[-1].object_type == "driver"
    assert lines.all()[-1].fields["external_id"] == ["D/1", None]


def test_a_deleted_site_takes_rights_and_grants_along(world, lines):
    made(SiteRight, driver=world.dirk, site=world.west)
    made(SiteGrant, operator=world.rob, site=world.west)
    lines = Lines()
    world.west.delete()
    assert sorted(lines.short()) == [
        ("deleted", "site", "West car park"),
        ("deleted", "sitegrant", "rob@northwind.example @ West car park"),
        ("deleted", "siteright", "Dirk @ West car park"),
    ]


def test_a_deleted_charger_takes_sockets_configurations_and_rights_along(world, lines):
    world.quay_1.delete()
    world.gar_1.delete()
    assert sorted(lines.short()) == [
        ("deleted", "charger", "GAR-1"),
        ("deleted", "charger", "QUAY-1"),
        ("deleted", "chargerconfiguration", "QUAY-1 HeartbeatInterval"),
        ("deleted", "chargerright", "Dirk @ GAR-1"),
        ("deleted", "socket", "GAR-1 #1"),
        ("deleted", "socket", "QUAY-1 #1"),
        ("deleted", "socket", "QUAY-1 #2"),
    ]


def test_rows_deleted_by_a_query_have_their_lines_as_well(world, lines):
    assert Tag.objects.filter(driver=world.dora).delete() == (2, {"drivers.Tag": 2})
    assert [action for action, *_rest in lines.short()] == ["deleted", "deleted"]


# Nobody in the world has a key or a webhook, or imported anything.
ROWLESS = (ApiKey, Import, Webhook)
ONE_OF_EACH = [model for model in apps.get_models() if issubclass(model, Entity) and model not in ROWLESS]


def test_saving_what_did_not_change_leaves_no_trace(world, lines):
    """Nor does writing the same value in another form."""
    for model in ONE_OF_EACH:
        row = model.objects.order_by("pk").first()
        before = model.objects.values().get(pk=row.pk)
        row.save()
        for field in model.journaled_fields():
            value = getattr(row, field.attname)
            if isinstance(value, datetime.datetime):
                setattr(row, field.attname, value + datetime.timedelta(microseconds=400))
            elif isinstance(value, int | float) and not isinstance(value, bool):
                setattr(row, field.attname, str(value))
            elif value is None and field.empty_strings_allowed:
                setattr(row, field.attname, "")
        row.save()
        assert lines.all() == [], model
        assert model.objects.values().get(pk=row.pk) == before


def test_what_chargers_report_is_no_edit(world, lines):
    charger = Charger.objects.get(pk=world.quay_1.pk)
    charger.status, charger.last_message, charger.has_active_connection = "Error", "Broken", False
    charger.last_seen, charger.firmware_version, charger.status_version = None, "7", 9
    charger.save()
    socket = Socket.objects.get(charger=charger, number=1)
    socket.status, socket.reported_at = "Offline", None
    socket.save()
    assert lines.all() == []
    stored = Charger.objects.get(pk=charger.pk)
    assert (stored.status, stored.firmware_version, stored.version) == ("Available", "6.5", charger.version)
    charger.name = "Quay 1"
    charger.save()
    assert lines.one().fields == {"name": ["Quay one", "Quay 1"]}


def test_signing_in_and_using_a_key_are_no_edits(world, lines):
    update_last_login(None, world.rob)
    key = made(ApiKey, operator=world.rob, name="Key", hint="ctk_", digest="secret")
    lines = Lines()
    key.last_used_at = NOON
    key.save()
    assert lines.all() == []
    assert Operator.objects.get(pk=world.rob.pk).last_login is not None


def test_secrets_are_not_in_the_journal(world, lines):
    world.rob.set_password("another horse battery")
    world.rob.save()
    key = made(ApiKey, operator=world.rob, name="Key", hint="ctk_", digest="secret")
    key.digest = "other secret"
    key.save()
    key.delete()
    changed, created, rotated, deleted = lines.all()
    assert changed.fields == {"password": ["***", "***"]}
    assert created.fields["digest"] == [None, "***"]
    assert rotated.fields == {"digest": ["***", "***"]}
    assert deleted.fields["digest"] == ["***", None]
    text = str(list(Change.objects.values_list("fields", flat=True)))
    assert "secret" not in text and "md5$" not in text


def test_a_line_says_who_by_which_road_and_in_which_request(world, lines):
    caller = Caller(world.ada.scope(), "ada@northwind.example", journal.API, "req-1")
    services.save(caller, Driver(name="New"))
    with journal.recording(Caller(Scope.platform(), "import", journal.IMPORT)):
        services.save(caller, Driver(name="Newer"))
    made(Driver, customer=world.northwind, name="Newest")
    one, two, three = lines.all()
    assert (one.actor_id, one.actor_label, one.source, one.request_id) == (world.ada.pk, caller.label, "api", "req-1")
    # The outermost says who it is.
    assert (two.actor_id, two.actor_label, two.source) == (None, "import", "import")
    assert (three.actor_id, three.actor_label, three.source) == (None, "Chargetree", "system")


def test_lines_are_numbered_by_customer_without_gaps(world):
    for customer in (world.northwind, world.southwind):
        made(Driver, customer=customer, name="New")
        numbers = list(Change.objects.filter(customer=customer).order_by("pk").values_list("sequence", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        assert ChangeCounter.objects.get(customer=customer).sequence == len(numbers)
    staff = Change.objects.filter(object_type="operator", object_id=world.pat.pk)
    assert list(staff.values_list("customer", "sequence")) == [(None, None)]


def test_of_one_transaction_each_customer_gets_its_lines(world, lines):
    with journal.recording():
        made(Driver, customer=world.southwind, name="New")
        made(Driver, customer=world.northwind, name="New")
        made(Driver, customer=world.southwind, name="Newer")
        assert lines.all() == []
    assert [(line.customer, line.natural_key) for line in lines.all()] == [
        (world.northwind, "New"),
        (world.southwind, "New"),
        (world.southwind, "Newer"),
    ]


# What did not happen.


def test_a_refused_write_leaves_no_line(world, lines):
    before = ChangeCounter.objects.get(customer=world.northwind).sequence
    caller = Caller(world.ada.scope(), "ada", journal.ADMIN)
    for row in (Driver(name=" "), Charger(site=world.east, charger_id="quay-1"), Site(name="Harbour")):
        with pytest.raises(ValidationError):
            services.save(caller, row)
    assert lines.all() == []
    assert ChangeCounter.objects.get(customer=world.northwind).sequence == before


def test_what_is_rolled_back_leaves_no_line(world, lines):
    with pytest.raises(KeyError), journal.recording():
        made(Driver, customer=world.northwind, name="Never")
        raise KeyError
    with pytest.raises(KeyError), transaction.atomic():
        made(Driver, customer=world.northwind, name="Never")
        raise KeyError
    made(Driver, customer=world.northwind, name="Once")
    assert [line.natural_key for line in lines.all()] == ["Once"]


def test_of_nested_blocks_only_those_that_succeed_are_written(world, lines):
    with journal.recording():
        made(Driver, customer=world.northwind, name="First")
        with pytest.raises(KeyError), journal.recording():
            made(Driver, customer=world.northwind, name="Never")
            with journal.recording():
                made(Driver, customer=world.northwind, name="Never either")
            raise KeyError
        with pytest.raises(ValidationError):
            world.harbour.move(world.east)
        made(Driver, customer=world.northwind, name="Last")
    assert [line.natural_key for line in lines.all()] == ["First", "Last"]
    assert not Driver.objects.filter(name__startswith="Never").exists()


def test_paths_are_those_after_a_failed_move(world, lines):
    """What a rolled back move had read is forgotten."""
    with journal.recording():
        with pytest.raises(KeyError), journal.recording():
            world.garage.move(world.airport)
            made(Driver, home_site=world.garage, name="Never")
            raise KeyError
        made(Driver, home_site=world.garage, name="Once")
    assert lines.one().site_path == f"/{world.harbour.pk}/{world.east.pk}/{world.garage.pk}/"


def test_paths_follow_a_move_in_the_same_transaction(world, lines):
    with journal.recording():
        made(Driver, home_site=world.garage, name="Before")
        world.east.move(world.airport)
        made(Driver, home_site=world.garage, name="After")
    before, _move, after = lines.all()
    tail = f"/{world.east.pk}/{world.garage.pk}/"
    assert (before.site_path, after.site_path) == (f"/{world.harbour.pk}{tail}", f"/{world.airport.pk}{tail}")


def test_the_journal_is_append_only(world):
    line = Change.objects.first()
    for write in (
        line.save,
        line.delete,
        lambda: Change.objects.create(),
        lambda: Change.objects.update(actor_label="Nobody"),
        lambda: Change.objects.all().delete(),
        lambda: Change.objects.bulk_create([Change()]),
        lambda: Change.objects.bulk_update([line], ["actor_label"]),
    ):
        with pytest.raises(TypeError, match="journal"):
            write()


def test_lines_outlive_what_they_tell_of(world):
    count = Change.objects.filter(object_type="operator", object_id=world.nell.pk).count()
    pk = world.nell.pk
    world.nell.delete()
    assert Change.objects.filter(object_type="operator", object_id=pk).count() == count + 1


# Who reads what.


def read(operator):
    return {(line.object_type, line.natural_key) for line in Change.objects.visible_to(operator.scope())}


def test_a_restricted_operator_reads_what_happened_in_the_granted_sites(world):
    assert read(world.rob) == {
        ("site", "East car park"),
        ("site", "Garage"),
        ("charger", "GAR-1"),
        ("charger", "GAR-2"),
        ("socket", "GAR-1 #1"),
        ("operator", "rob@northwind.example"),
        ("sitegrant", "rob@northwind.example @ East car park"),
        ("driver", "Dora"),
        ("tag", "04A1B2C3"),
        ("tag", "04FFEE01"),
        ("integratedexternalid", "Dora fleet F-77"),
    }
    assert read(world.nell) == set()


def test_a_right_is_read_by_who_sees_its_driver_and_its_site(world):
    """Dora's right lies above Rob's sites; Dirk, whose right lies within, is at home elsewhere."""
    assert not {kind for kind, _key in read(world.rob)} & {"siteright", "chargerright"}
    made(SiteRight, driver=world.dora, site=world.garage)
    assert ("siteright", "Dora @ Garage") in read(world.rob)


def test_who_leaves_the_granted_sites_is_seen_leaving_and_no_more(world):
    world.dora.home_site = world.airport
    world.dora.save()
    world.dora.name = "Theodora"
    world.dora.save()
    seen = Change.objects.visible_to(world.rob.scope()).filter(object_type="driver", object_id=world.dora.pk)
    assert [line.action for line in seen.order_by("pk")] == ["created", "moved"]


def test_customers_read_their_own_lines_and_the_platform_all(world):
    for operator, customer in ((world.ada, world.northwind), (world.sue, world.southwind)):
        lines = Change.objects.visible_to(operator.scope())
        assert set(lines.values_list("customer", flat=True)) == {customer.pk}
        assert lines.count() == Change.objects.filter(customer=customer).count()
    assert Change.objects.visible_to(world.pat.scope()).count() == Change.objects.count()


def test_a_deleted_customer_is_told_of_outside_of_its_sequence(world):
    """Also what went in the same transaction: the counter goes with the customer."""
    customer = made(Customer, name="Short-lived")
    pk = customer.pk
    with journal.recording():
        made(Driver, customer=customer, name="Short-lived").delete()
        customer.delete()
    lines = Change.objects.filter(natural_key="Short-lived").order_by("pk")
    assert list(lines.values_list("object_type", "action", "customer")) == [
        ("customer", "created", pk),
        ("driver", "created", None),
        ("driver", "deleted", None),
        ("customer", "deleted", None),
    ]


def test_entities_refuse_writes_without_a_trace(world):
    for write in (
        lambda: Driver.objects.update(name="Same"),
        lambda: Driver.objects.bulk_create([Driver(name="New")]),
        lambda: Driver.objects.bulk_update([world.dora], ["name"]),
        lambda: world.garage.home_drivers.update(name="Same"),
    ):
        with pytest.raises(TypeError, match="no trace in the journal"):
            write()


def test_a_tag_notes_when_it_was_last_changed(world, lines):
    """On the wire, and no change of its own."""
    assert world.dora_card.last_updated is None
    world.dora_card.token_name = "Spare card"
    world.dora_card.save()
    stored = Tag.objects.get(pk=world.dora_card.pk)
    assert stored.last_updated == stored.updated_at > stored.created_at
    assert lines.one().fields == {"token_name": ["Card", "Spare card"]}
    stored.save()
    assert Tag.objects.get(pk=stored.pk).last_updated == stored.last_updated
