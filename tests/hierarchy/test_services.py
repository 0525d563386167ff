"""Who may write what: every row of the matrix for every kind of object, and no way round it."""

import dataclasses
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy import services
from hierarchy.entity import Entity
from hierarchy.errors import Conflict, Gone, NotFound, NotPermitted
from hierarchy.models import Change, Customer, Import, Site
from hierarchy.scoping import Caller, Scope
from operators.models import ApiKey, Operator, SiteGrant, Webhook
from operators.services import operator_set_password
from tests.conftest import made

pytestmark = pytest.mark.django_db


def caller(operator, **changes):
    return Caller(dataclasses.replace(operator.scope(), **changes), operator.email, "admin")


def callers(w):
    return {
        "admin": caller(w.ada),
        "restricted": caller(w.rob),
        "read-only": caller(w.ada, is_read_only=True),
        "platform": caller(w.pat),
        "other customer": caller(w.sue),
        "without grants": caller(w.nell),
        "nobody": Caller(Scope(customer_id=None), "nobody", "admin"),
    }


def operator(w, name, home):
    return made(Operator, customer=w.northwind, email=f"{name}@northwind.example", name=name, home_site=home)


def place(w, name, site, charger):
    """A site with one thing of every kind, and a second site below."""
    p = SimpleNamespace(site=site, subsite=made(Site, parent=site, name="Bay"), charger=charger)
    p.driver = made(Driver, home_site=site, name=name)
    p.newcomer = made(Driver, home_site=site, name=f"{name}'s friend")
    p.operator = operator(w, name, site)
    p.colleague = operator(w, f"{name}-2", site)
    p.rows = {
        Customer: w.northwind,
        Site: p.subsite,
        Charger: charger,
        Socket: charger.sockets.first(),
        ChargerConfiguration: made(ChargerConfiguration, charger=charger, name="Key"),
        Driver: p.driver,
        Tag: made(Tag, driver=p.driver, id_tag=name),
        SiteRight: made(SiteRight, driver=p.driver, site=site),
        ChargerRight: made(ChargerRight, driver=p.driver, charger=charger),
        IntegratedExternalId: made(IntegratedExternalId, driver=p.driver, reference_id="r", external_id="e"),
        Operator: p.operator,
        SiteGrant: made(SiteGrant, operator=p.operator, site=site),
        ApiKey: made(ApiKey, operator=p.operator, name="Key", hint="ctk_", digest=name),
        Webhook: made(Webhook, operator=p.operator, name="Hook", url="https://hook.example/"),
    }
    return p


# For each kind, a new row at a place, and a change of the row that is there.
KINDS = {
    Customer: (lambda p: Customer(name="New"), {"time_zone": "Europe/Paris"}),
    Site: (lambda p: Site(name="New", parent=p.site), {"cost_id": "K"}),
    Charger: (lambda p: Charger(charger_id="NEW", site=p.site), {"name": "New"}),
    Socket: (lambda p: Socket(number=9, charger=p.charger), {"name": "New"}),
    ChargerConfiguration: (lambda p: ChargerConfiguration(name="New", charger=p.charger), {"value": "New"}),
    Driver: (lambda p: Driver(name="New", home_site=p.site), {"name": "New"}),
    Tag: (lambda p: Tag(id_tag="NEW", driver=p.driver), {"token_name": "New"}),
    SiteRight: (lambda p: SiteRight(driver=p.newcomer, site=p.site), {"site": lambda p: p.subsite}),
    ChargerRight: (lambda p: ChargerRight(driver=p.newcomer, charger=p.charger), {"driver": lambda p: p.newcomer}),
    IntegratedExternalId: (
        lambda p: IntegratedExternalId(driver=p.driver, reference_id="new", external_id="e"),
        {"external_id": "New"},
    ),
    Operator: (
        lambda p: Operator(name="New", email="new@northwind.example", password="!", home_site=p.site),
        {"name": "New"},
    ),
    SiteGrant: (lambda p: SiteGrant(operator=p.colleague, site=p.site), {"site": lambda p: p.subsite}),
    ApiKey: (lambda p: ApiKey(operator=p.operator, name="New", hint="ctk_", digest="new"), {"name": "New"}),
    Webhook: (lambda p: Webhook(operator=p.operator, name="New", url="https://new.example/"), {"name": "New"}),
}


def expected(who, model, is_inside, action):
    """What the matrix says: the refusal, or None."""
    if who == "read-only":
        return NotPermitted
    if who == "platform":
        # The customer of the world has sites, drivers and operators.
        return Conflict if (model, action) == (Customer, "delete") else None
    if model is Customer:
        belongs = who not in ("other customer", "nobody")
        return NotPermitted if belongs and action != "create" else NotFound
    if who == "admin":
        return None
    if who != "restricted" or not is_inside:
        return ValidationError if action == "create" else NotFound
    if model in (ApiKey, Webhook):
        # A restricted operator has own ones and sees no others.
        return NotPermitted if action == "create" else NotFound
    return None


def attempt(caller, row, action, changes, p):
    try:
        with transaction.atomic():
            if action == "delete":
                services.delete(caller, row)
            else:
                for name, value in changes.items() if action == "change" else ():
                    setattr(row, name, value(p) if callable(value) else value)
                services.save(caller, row)
            raise InterruptedError
    except InterruptedError:
        return None
    except Exception as error:
        return type(error)


def test_every_entity_is_in_the_matrix():
    """All but imports, which nobody edits."""
    assert set(KINDS) == {model for model in apps.get_models() if issubclass(model, Entity)} - {Import}


@pytest.mark.parametrize(
    "who", ["admin", "restricted", "read-only", "platform", "other customer", "without grants", "nobody"]
)
def test_the_matrix(world, who):
    w = world
    inside, outside = place(w, "inside", w.garage, w.gar_1), place(w, "outside", w.airport, w.air_1)
    by = callers(w)[who]
    before = Change.objects.count()
    found, wanted = {}, {}
    for p in (inside, outside):
        for model, (new, changes) in KINDS.items():
            for action in ("create", "change", "delete"):
                row = new(p) if action == "create" else model._base_manager.get(pk=p.rows[model].pk)
                case = (model.__name__, "inside" if p is inside else "outside", action)
                found[case] = attempt(by, row, action, changes, p)
                wanted[case] = expected(who, model, p is inside, action)
    assert found == wanted
    assert Change.objects.count() == before


# A restricted operator and the edges of the granted sites.


def test_a_granted_site_is_not_changed_but_those_below_are(world):
    by = caller(world.rob)
    for change in (
        lambda: services.save(by, changed(world.east, name="Mine")),
        lambda: services.delete(by, world.east),
        lambda: services.site_move(by, world.east, None),
        lambda: services.site_move(by, world.garage, None),
        lambda: services.save(by, Site(name="New")),
    ):
        with pytest.raises(NotPermitted):
            change()
    services.save(by, changed(world.garage, name="Mine"))
    below = services.save(by, Site(name="Below", parent=world.east))
    services.site_move(by, below, world.garage)
    services.delete(by, below)


def test_of_two_granted_sites_one_below_the_other_only_the_upper_is_kept(world):
    made(SiteGrant, operator=world.rob, site=world.garage)
    by = caller(world.rob)
    services.save(by, changed(world.garage, name="Mine"))
    with pytest.raises(NotPermitted):
        services.save(by, changed(world.east, name="Mine"))


def test_a_withdrawn_grant_ends_what_it_allowed(world):
    services.save(caller(world.rob), changed(world.gar_1, name="Mine"))
    world.rob.grants.get().delete()
    with pytest.raises(NotFound):
        services.save(caller(world.rob), changed(world.gar_1, name="Mine again"))


def changed(row, **values):
    """The row as the database has it, with other values."""
    row = row._meta.model._base_manager.get(pk=row.pk)
    for name, value in values.items():
        setattr(row, name, value)
    return row


OUT_OF_SCOPE = {
    "a charger moved out": ("site", lambda w: changed(w.gar_1, site=w.airport)),
    "a charger moved in": (NotFound, lambda w: changed(w.air_1, site=w.east)),
    "a charger moved to another customer": ("site", lambda w: changed(w.gar_1, site=w.depot)),
    "a site moved out": ("parent", lambda w: changed(w.garage, parent=w.west)),
    "a site moved in": (NotFound, lambda w: changed(w.west, parent=w.east)),
    "a driver moved out": ("home_site", lambda w: changed(w.dora, home_site=w.airport)),
    "a driver moved in": (NotFound, lambda w: changed(w.dirk, home_site=w.east)),
    "a spare driver taken in": (NotFound, lambda w: changed(w.spike, home_site=w.east)),
    "a driver made spare": (NotPermitted, lambda w: changed(w.dora, home_site=None)),
    "a new spare driver": (NotPermitted, lambda w: Driver(name="New")),
    "a new spare operator": (NotPermitted, lambda w: Operator(name="New", email="new@n.example", password="!")),
    "a tag given away": ("driver", lambda w: changed(w.dora_card, driver=w.dirk)),
    "a tag of a driver out of sight": ("driver", lambda w: Tag(driver=w.dirk, id_tag="NEW")),
    "a right on a site above": ("site", lambda w: SiteRight(driver=w.dora, site=w.harbour)),
    "a right on a charger out of sight": ("charger", lambda w: ChargerRight(driver=w.dora, charger=w.air_1)),
    "a right for a driver out of sight": ("driver", lambda w: SiteRight(driver=w.dirk, site=w.garage)),
    "a right that reaches out of sight": (NotFound, lambda w: changed(w.dora.site_rights.get(), site=w.garage)),
    "a right on what another customer has": ("charger", lambda w: ChargerRight(driver=w.dora, charger=w.dep_1)),
    "another customer": ("customer", lambda w: changed(w.dora, customer=w.southwind)),
    "a new driver of another customer": ("customer", lambda w: Driver(name="New", customer=w.southwind)),
    "a socket moved out": ("charger", lambda w: changed(w.gar_1.sockets.get(), charger=w.air_1)),
    "a site that is not there": ("home_site", lambda w: changed(w.dora, home_site_id=10**6)),
    "a site with an impossible id": ("home_site", lambda w: changed(w.dora, home_site_id=10**30)),
}


def told(write):
    """What a write is refused with: the wrong fields and what is said of them, or the kind of refusal."""
    try:
        with transaction.atomic():
            write()
    except ValidationError as error:
        return error.message_dict
    except Exception as error:
        return type(error)
    return "nothing"


def test_a_restricted_operator_puts_nothing_out_of_scope_and_takes_nothing_in(world):
    by = caller(world.rob)
    found = {case: told(lambda row=row: services.save(by, row(world))) for case, (_, row) in OUT_OF_SCOPE.items()}
    # A row out of sight is unknown, whoever's it is and whether or not it is there.
    unknown = ["Not found, or you have no access to it."]
    assert found == {
        case: {refusal: unknown} if isinstance(refusal, str) else refusal
        for case, (refusal, _row) in OUT_OF_SCOPE.items()
    }


def test_what_does_not_change_may_lie_out_of_sight(world):
    """A row keeps a reference that its editor cannot see."""
    world.rob.home_site = world.airport
    world.rob.save()
    key = made(ApiKey, operator=world.rob, name="Mine", hint="ctk_", digest="mine")
    assert not Operator.objects.visible_to(world.rob.scope()).filter(pk=world.rob.pk).exists()
    services.save(caller(world.rob), changed(key, name="Renamed"))


@pytest.fixture
def staff(world):
    """Colleagues at home in Rob's scope: one who sees as much, one who sees more, one without grants; and an admin."""
    w = world
    w.peer, w.wide, w.junior = (operator(w, name, w.garage) for name in ("peer", "wide", "junior"))
    w.peer_grant = made(SiteGrant, operator=w.peer, site=w.garage)
    w.wide_grant = made(SiteGrant, operator=w.wide, site=w.garage)
    made(SiteGrant, operator=w.wide, site=w.airport)
    w.boss = operator(w, "boss", w.garage)
    w.boss.is_admin_operator = True
    w.boss.save()
    return w


ESCALATIONS = {
    "make an admin": lambda w, by: services.save(
        by, Operator(name="New", email="new@n.example", password="!", home_site=w.east, is_admin_operator=True)
    ),
    "promote": lambda w, by: services.save(by, changed(w.peer, is_admin_operator=True)),
    "demote": lambda w, by: services.save(by, changed(w.boss, is_admin_operator=False)),
    "edit an admin": lambda w, by: services.save(by, changed(w.boss, email="mine@n.example")),
    "delete an admin": lambda w, by: services.delete(by, w.boss),
    "an admin's password": lambda w, by: operator_set_password(by, w.boss, "another horse battery"),
    "edit who sees more": lambda w, by: services.save(by, changed(w.wide, email="mine@n.example")),
    "delete who sees more": lambda w, by: services.delete(by, w.wide),
    "the password of who sees more": lambda w, by: operator_set_password(by, w.wide, "another horse battery"),
    "promote oneself": lambda w, by: services.save(by, changed(w.rob, is_admin_operator=True)),
    "edit oneself": lambda w, by: services.save(by, changed(w.rob, name="Robert")),
    "move oneself": lambda w, by: services.save(by, changed(w.rob, home_site=w.garage)),
    "delete oneself": lambda w, by: services.delete(by, w.rob),
    "grant to oneself": lambda w, by: services.save(by, SiteGrant(operator=w.rob, site=w.garage)),
    "widen the own grant": lambda w, by: services.save(by, changed(w.rob.grants.get(), site=w.garage)),
    "give the own grant away": lambda w, by: services.save(by, changed(w.rob.grants.get(), operator=w.junior)),
    "take a grant for oneself": lambda w, by: services.save(by, changed(w.peer_grant, operator=w.rob)),
    "drop the own grant": lambda w, by: services.delete(by, w.rob.grants.get()),
    "grant to an admin": lambda w, by: services.save(by, SiteGrant(operator=w.boss, site=w.garage)),
    "grant to who sees more": lambda w, by: services.save(by, SiteGrant(operator=w.wide, site=w.east)),
    "take from who sees more": lambda w, by: services.delete(by, w.wide_grant),
    "turn a grant of who sees more": lambda w, by: services.save(by, changed(w.wide_grant, operator=w.junior)),
    "a key for a colleague": lambda w, by: services.save(
        by, ApiKey(operator=w.peer, name="New", hint="ctk_", digest="new")
    ),
}


def test_a_restricted_operator_gets_no_more_power(staff):
    by = caller(staff.rob)
    found = {case: told(lambda write=write: write(staff, by)) for case, write in ESCALATIONS.items()}
    assert found == dict.fromkeys(ESCALATIONS, NotPermitted)


def test_who_is_refused_is_told_whom_to_ask(staff):
    with pytest.raises(NotPermitted, match="Ask an admin operator"):
        services.save(caller(staff.rob), changed(staff.rob, name="Robert"))


def test_a_restricted_operator_does_not_grant_what_lies_outside(staff):
    for site in (staff.harbour, staff.airport, staff.depot):
        with pytest.raises(ValidationError) as error:
            services.save(caller(staff.rob), SiteGrant(operator=staff.peer, site=site))
        assert list(error.value.message_dict) == ["site"]


def test_a_restricted_operator_manages_those_who_see_no_more(staff):
    by = caller(staff.rob)
    services.save(by, changed(staff.junior, name="Junior"))
    services.save(by, SiteGrant(operator=staff.junior, site=staff.east))
    operator_set_password(by, changed(staff.junior), "another horse battery")
    services.delete(by, staff.peer_grant)
    services.delete(by, staff.peer)


def test_an_admin_operator_makes_no_platform_staff(world):
    by = caller(world.ada)
    with pytest.raises((Conflict, ValidationError)):
        services.save(by, Operator(name="New", email="new@n.example", password="!", is_superuser=True))
    with pytest.raises(NotFound):
        services.save(by, changed(world.rob, is_superuser=True, customer=None, home_site=None))
    for action in (lambda: services.save(by, changed(world.pat, name="Mine")), lambda: services.delete(by, world.pat)):
        with pytest.raises(NotFound):
            action()
    assert not Operator.objects.get(email="rob@northwind.example").is_superuser


def test_nobody_gives_a_row_another_customer(world):
    """Not even who sees both."""
    by = caller(world.pat)
    for row, values in ((world.spike, {}), (world.dora, {"home_site": None}), (world.nell, {})):
        with pytest.raises((Conflict, ValidationError)):
            services.save(by, changed(row, customer=world.southwind, **values))
    with pytest.raises((Conflict, ValidationError)):
        services.save(by, changed(world.gar_1.sockets.get(), charger=world.dep_1))


# What is wrong is said of the field.

WRONG = {
    "no charger": ("charger", lambda w: Socket(number=1)),
    "no site": ("site", lambda w: Charger(charger_id="NEW")),
    "no driver": ("driver", lambda w: SiteRight(site=w.west)),
    "no operator": ("operator", lambda w: SiteGrant(site=w.west)),
    "a site that is not there": ("site", lambda w: Charger(charger_id="NEW", site_id=10**6)),
    "a site above that is not there": ("parent", lambda w: Site(name="New", parent_id=10**6)),
    "an impossible id": ("driver", lambda w: Tag(id_tag="NEW", driver_id=10**30)),
    "a site of another customer": ("site", lambda w: Charger(charger_id="NEW", site=w.depot)),
    "a blank name": ("name", lambda w: Driver(name="   ")),
    "a name with a line break": ("name", lambda w: Driver(name="Do\nra")),
    "a NUL": ("name", lambda w: Driver(name="Do\0ra")),
    "half a character": ("name", lambda w: Driver(name="Do\ud800ra")),
    "a long name": ("name", lambda w: Driver(name="x" * 256)),
    "a charger id in use": ("charger_id", lambda w: Charger(site=w.west, charger_id="quay-1")),
    "a charger id in use elsewhere": ("charger_id", lambda w: Charger(site=w.west, charger_id="dep-1")),
    "a wrong charger id": ("charger_id", lambda w: Charger(site=w.west, charger_id="a b")),
    "an EVSE id in use": ("evse_id", lambda w: Charger(site=w.west, charger_id="NEW", evse_id="nlnwde1")),
    "a wrong EVSE id": ("evse_id", lambda w: Charger(site=w.west, charger_id="NEW", evse_id="17")),
    "a name beside": ("name", lambda w: Site(parent=w.harbour, name="WEST car  park")),
    "a name at the top": ("name", lambda w: Site(name="harbour")),
    "an external id": ("external_id", lambda w: Site(name="New", external_id="n-1")),
    "an id tag": ("id_tag", lambda w: Tag(driver=w.dirk, id_tag="04a1b2c3")),
    "a socket number": ("number", lambda w: Socket(charger=w.quay_1, number=2)),
    "socket 0": ("number", lambda w: Socket(charger=w.quay_1, number=0)),
    "a huge number": ("max_power_w", lambda w: Socket(charger=w.quay_1, number=9, max_power_w=10**30)),
    "a negative number": ("payer_id", lambda w: Driver(name="New", payer_id=-1)),
    "an e-mail address": ("email", lambda w: Operator(name="New", email="ROB@northwind.example", password="!")),
    "no number": ("latitude", lambda w: Charger(site=w.west, charger_id="N", latitude=float("nan"), longitude=1)),
    "one coordinate": ("longitude", lambda w: Charger(site=w.west, charger_id="N", latitude=1)),
    "far north": ("latitude", lambda w: Charger(site=w.west, charger_id="N", latitude=91, longitude=1)),
    "a validity that ends first": (
        "expires_at",
        lambda w: changed(w.dora_fob, expires_at=w.dora_fob.starts_at),
    ),
    "a right twice": ("site", lambda w: SiteRight(driver=w.dora, site=w.harbour)),
    "a type": ("group_type", lambda w: Site(name="New", group_type=7)),
    "a time zone": ("time_zone", lambda w: Site(name="New", time_zone="Europe/Utrecht")),
    "a list that is none": ("capabilities", lambda w: Charger(site=w.west, charger_id="N", capabilities="A")),
    "properties": ("custom_properties", lambda w: Charger(site=w.west, charger_id="N", custom_properties={"a": 1})),
}


def test_a_wrong_value_is_said_of_its_field(world):
    by = caller(world.ada)
    before = Change.objects.count()
    found = {case: list(told(lambda row=row: services.save(by, row(world)))) for case, (_, row) in WRONG.items()}
    assert found == {case: [field] for case, (field, _row) in WRONG.items()}
    assert Change.objects.count() == before


def test_every_wrong_field_is_said_at_once(world):
    row = Charger(site=world.west, charger_id="a b", evse_id="17", latitude=99, longitude=1)
    with pytest.raises(ValidationError) as error:
        services.save(caller(world.ada), row)
    assert set(error.value.message_dict) == {"charger_id", "evse_id", "latitude"}


# New rows, stale rows, and rows that are gone.


def test_a_new_row_belongs_to_the_customer_of_its_place_or_of_its_writer(world):
    assert services.save(caller(world.pat), Driver(name="New", home_site=world.depot)).customer == world.southwind
    assert services.save(caller(world.ada), Driver(name="New")).customer == world.northwind
    with pytest.raises(ValidationError) as error:
        services.save(caller(world.pat), Driver(name="New"))
    assert list(error.value.message_dict) == ["customer"]


def test_a_stale_row_is_refused(world):
    first, second = changed(world.dora, name="Theodora"), changed(world.dora, external_id="D/2")
    services.save(caller(world.ada), first)
    with pytest.raises(Conflict, match="Theodora was changed by someone else") as error:
        services.save(caller(world.ada), second)
    assert error.value.reason == "stale"
    with pytest.raises(Conflict, match="Check it again"):
        services.delete(caller(world.ada), second, expected_version=second.version)
    services.delete(caller(world.ada), second, expected_version=first.version)


def test_a_row_that_is_gone_is_said_to_be_gone(world):
    """Also when what it belonged to is gone with it."""
    tag, right = Tag.objects.get(pk=world.dora_card.pk), SiteRight.objects.get(driver=world.dora)
    stale = [Driver.objects.get(pk=world.dora.pk), changed(tag, token_name="New"), right]
    Driver.objects.get(pk=world.dora.pk).delete()
    for row in stale:
        with pytest.raises(Gone, match=r"This .* was deleted\."):
            services.save(caller(world.ada), row)
        with pytest.raises(Gone):
            services.delete(caller(world.ada), row)


def test_a_deletion_counts_what_went_with_it(world):
    assert services.delete(caller(world.ada), world.dora) == {
        "drivers.Driver": 1,
        "drivers.Tag": 2,
        "drivers.SiteRight": 1,
        "drivers.IntegratedExternalId": 1,
    }


def test_an_empty_customer_is_deleted_by_the_platform_and_leaves_its_lines(world):
    customer = made(Customer, name="Short-lived")
    pk = customer.pk
    services.delete(caller(world.pat), customer)
    actions = Change.objects.filter(object_type="customer", object_id=pk).values_list("action", "customer")
    assert sorted(actions) == [("created", pk), ("deleted", None)]
