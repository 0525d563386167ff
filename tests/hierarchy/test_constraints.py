"""What the database itself refuses, when rows are written past every rule of the product."""

import math

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import UniqueConstraint

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.constraints import SameCustomer
from hierarchy.models import Change, Customer, Import, ImportPlan, Mark, Site
from operators.models import IdempotentRequest, Operator, SiteGrant, ToldStatus
from tests.conftest import NOON, made

pytestmark = pytest.mark.django_db

APPS = ("hierarchy", "chargers", "drivers", "operators")
MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]

INSERT, TWICE, UPDATE = "insert", "twice", "update"


def add(model, **values):
    """A case: a row that cannot be added. References are names of the tests' world."""
    return INSERT, model, None, values


def put(name, **values):
    """A case: values that a row of the tests' world cannot take."""
    return UPDATE, None, name, values


def twice(model, **values):
    """A case: a row that can be there once."""
    return TWICE, model, None, values


# Two ways of writing each that are the same name.
SAME_TEXT = [("Straße", "STRASSE"), ("é", "e\u0301"), ("Ä", "ä"), ("A  B", " a\u00a0b "), ("ΌΣΟΣ", "όσος"), ("ﬁ", "FI")]

# What each constraint refuses. A new constraint needs a case here.
CASES = {
    "customer_name": [put("southwind", name_key="northwind")],
    "import_plan_applied_same_customer": [
        add(ImportPlan, customer="northwind", applied_as="foreign_import", file_name="x", content=b"", steps=b"")
    ],
    "site_parent_same_customer": [
        put("west", parent="depot"),
        put("depot", parent="harbour"),
    ],
    "site_name_among_siblings": [put("west", name_key="east car park")],
    "site_name_among_roots": [put("airport", name_key="harbour"), put("west", parent=None, name_key="airport")],
    "site_external_id": [put("west", external_id_key="n-1")],
    "site_group_type": [put("west", group_type=5)],
    "site_not_its_own_parent": [put("west", parent="west")],
    "site_payment_ids_not_negative": [put("west", payer_id=-1), put("west", payment_recipient_id=-1)],
    "charger_site_same_customer": [put("gar_1", site="depot")],
    "charger_id_unique": [put("gar_1", charger_id_key="quay-1"), put("dep_1", charger_id_key="quay-1")],
    "charger_evse_id": [put("gar_1", evse_key="NLNWDE1")],
    "charger_coordinates": [
        put("gar_1", latitude=90.0001, longitude=0),
        put("gar_1", latitude=-91, longitude=0),
        put("gar_1", latitude=0, longitude=180.0001),
        put("gar_1", latitude=0, longitude=-181),
        put("gar_1", latitude=math.inf, longitude=0),
        put("gar_1", latitude=0, longitude=-math.inf),
        put("gar_1", latitude=math.nan, longitude=0),
        put("gar_1", latitude=0, longitude=math.nan),
        put("gar_1", latitude=52),
        put("gar_1", longitude=5),
        put("quay_1", latitude=None),
        put("quay_1", longitude=None),
    ],
    "charger_status": [put("gar_1", status="available"), put("gar_1", status="")],
    "charger_id_not_empty": [put("gar_1", charger_id="")],
    "socket_number": [add(Socket, charger="quay_1", number=1)],
    "socket_number_from_1": [add(Socket, charger="gar_1", number=0)],
    "socket_numbers_not_negative": [
        add(Socket, charger="gar_1", number=9, **{name: -1})
        for name in (
            "max_power_w",
            "max_voltage_v",
            "max_current_a",
            "device_evse_id",
            "device_connector_id",
            "charging_station_evse_id",
        )
    ],
    "socket_status": [add(Socket, charger="gar_1", number=9, status="Broken")],
    "configuration_name": [add(ChargerConfiguration, charger="quay_1", name="HEARTBEATINTERVAL")],
    "driver_home_same_customer": [put("dora", home_site="depot")],
    "mark_once": [twice(Mark, customer="northwind", place=1, number=1)],
    "told_status_once": [twice(ToldStatus, webhook_id=1, charger_id=1, status_version=1)],
    "idempotent_request_once": [twice(IdempotentRequest, owner="key 1", name="a")],
    "operator_email": [put("rob", email_key="ada@northwind.example"), put("sue", email_key="pat@platform.example")],
    "driver_external_id": [put("dirk", external_id_key="d/1")],
    "driver_payer_id_not_negative": [put("dora", payer_id=-1)],
    "tag_driver_same_customer": [put("dora_fob", driver="sid")],
    "tag_id_tag": [put("dora_fob", id_tag_key="04a1b2c3")],
    "tag_validity_in_order": [put("dora_fob", expires_at=NOON), put("dora_card", starts_at=NOON, expires_at=NOON)],
    "site_right_driver_same_customer": [add(SiteRight, customer="southwind", driver="dora", site="depot")],
    "site_right_site_same_customer": [add(SiteRight, customer="northwind", driver="dora", site="depot")],
    "site_right_once": [add(SiteRight, customer="northwind", driver="dora", site="harbour")],
    "charger_right_driver_same_customer": [add(ChargerRight, customer="southwind", driver="dora", charger="dep_1")],
    "charger_right_charger_same_customer": [add(ChargerRight, customer="northwind", driver="dora", charger="dep_1")],
    "charger_right_once": [add(ChargerRight, customer="northwind", driver="dirk", charger="gar_1")],
    "external_id_once": [add(IntegratedExternalId, driver="dora", reference_id="fleet", external_id="F-78")],
    "external_id_reference_type": [
        add(IntegratedExternalId, driver="dora", reference_id="x", external_id="x", reference_type=2)
    ],
    "operator_home_same_customer": [put("rob", home_site="depot")],
    "operator_customer_or_platform": [
        put("rob", is_superuser=True),
        put("nell", customer=None),
        put("pat", is_admin_operator=True),
        put("pat", is_superuser=False),
        put("pat", customer="northwind"),
    ],
    "grant_operator_same_customer": [add(SiteGrant, customer="southwind", operator="rob", site="depot")],
    "grant_site_same_customer": [add(SiteGrant, customer="northwind", operator="rob", site="depot")],
    "grant_once": [add(SiteGrant, customer="northwind", operator="rob", site="east")],
    "change_sequence": [
        add(Change, customer="northwind", sequence=1, at=NOON, action="created", source="api", object_id=1)
    ],
}


def referring(values, world):
    """The values of a case, with rows for names."""
    references = {"customer", "site", "parent", "home_site", "charger", "driver", "operator", "applied_as"}
    return {
        name: getattr(world, value) if name in references and value is not None else value
        for name, value in values.items()
    }


def write(case, world):
    kind, model, name, values = case
    values = referring(values, world)
    if kind in (INSERT, TWICE):
        model._base_manager.bulk_create([model(**values) for _ in range(1 + (kind == TWICE))])
    else:
        row = getattr(world, name)
        row._meta.model._base_manager.filter(pk=row.pk).update(**values)


def is_target(constraint):
    """Whether it only is what ties refer to: the id alone is unique already."""
    return isinstance(constraint, UniqueConstraint) and constraint.fields == ("id", "customer")


def test_every_constraint_has_a_case():
    names = {constraint.name for model in MODELS for constraint in model._meta.constraints if not is_target(constraint)}
    assert names == set(CASES)


def refusal(case, world):
    """The name of the constraint that refuses; where SQLite does not tell it, that there is one."""
    try:
        with transaction.atomic():
            write(case, world)
            connection.check_constraints()
    except IntegrityError as error:
        return error.__cause__.diag.constraint_name if connection.vendor == "postgresql" else "a constraint"
    return "nothing"


def test_the_database_refuses_each_of_them(world):
    world.foreign_import = made(Import, customer=world.southwind, file_name="x")
    found = [(name, case, refusal(case, world)) for name, cases in CASES.items() for case in cases]
    told = connection.vendor == "postgresql"
    assert not [one for one in found if one[2] != (one[0] if told else "a constraint")]


def test_no_row_that_is_tied_to_another_changes_its_customer(world):
    for name in ("harbour", "west", "gar_1", "dora", "dora_fob", "rob"):
        assert refusal(put(name, customer="southwind"), world) != "nothing", name


OF_A_CUSTOMER = [model for model in MODELS if "customer" in {field.name for field in model._meta.concrete_fields}]


@pytest.mark.parametrize("model", OF_A_CUSTOMER, ids=lambda model: model.__name__)
def test_every_reference_between_rows_of_a_customer_is_tied_to_it(model):
    tied = {constraint.field for constraint in model._meta.constraints if isinstance(constraint, SameCustomer)}
    references = {field.name for field in model._meta.concrete_fields if field.related_model in OF_A_CUSTOMER}
    assert tied == references


@pytest.mark.parametrize(("first", "second"), SAME_TEXT)
def test_texts_that_read_the_same_are_the_same_on_every_database(world, first, second):
    makers = [
        lambda text: Customer(name=text),
        lambda text: Site(customer=world.northwind, name=text),
        lambda text: Site(parent=world.west, name=text),
        lambda text: Site(parent=world.west, name=f"Site {text!r}", external_id=text),
        lambda text: Driver(customer=world.northwind, name="Driver", external_id=text),
        lambda text: Tag(driver=world.dora, id_tag=text),
        lambda text: ChargerConfiguration(charger=world.quay_1, name=text),
    ]
    for make in makers:
        make(first).save()
        with pytest.raises(ValidationError):
            make(second).full_clean()
        with pytest.raises(IntegrityError), transaction.atomic():
            make(second).save()


@pytest.mark.parametrize(("first", "second"), [("NL*ABC*E1*2", "nlabce12"), ("NLABCE1*2", "NL*ABC*E12")])
def test_evse_ids_are_compared_without_separators_and_case(world, first, second):
    made(Charger, site=world.west, charger_id="W-1", evse_id=first)
    with pytest.raises(IntegrityError), transaction.atomic():
        made(Charger, site=world.west, charger_id="W-2", evse_id=second)
    made(Charger, site=world.depot, charger_id="W-3", evse_id=second)


def test_the_same_words_may_stand_in_different_places(world):
    """Names beside other sites, tags and external ids at another customer, and any number of empty ones."""
    made(Site, parent=world.west, name="Garage")
    made(Site, customer=world.southwind, name="Harbour", external_id="N-1")
    made(Driver, customer=world.southwind, name="Dora", external_id="D/1")
    made(Tag, driver=world.sid, id_tag="04FFEE01")
    for number in range(2):
        made(Site, parent=world.west, name=f"Bay {number}", external_id="")
        made(Driver, customer=world.northwind, name="Dora", external_id="")
        made(Charger, site=world.west, charger_id=f"W-{number}", evse_id="")
    connection.check_constraints()


def test_e_mail_addresses_are_compared_without_case(world):
    with pytest.raises(IntegrityError), transaction.atomic():
        made(Operator, customer=world.southwind, email="ROB@northwind.example", name="Other")


def test_what_lies_at_the_edges_of_the_ranges_is_taken(world):
    for latitude, longitude in [(-90, -180), (90, 180), (0, 0), (None, None)]:
        Charger._base_manager.filter(pk=world.gar_1.pk).update(latitude=latitude, longitude=longitude)
    Site._base_manager.filter(pk=world.west.pk).update(payer_id=0, payment_recipient_id=2**63 - 1, group_type=None)
    Tag._base_manager.filter(pk=world.dora_fob.pk).update(starts_at=None)
    connection.check_constraints()


def test_a_violated_tie_is_said_of_the_reference(world):
    """Whatever the road: the model's own validation knows it as well as the database."""
    with pytest.raises(ValidationError) as error:
        Driver(customer=world.northwind, name="New", home_site=world.depot).full_clean()
    assert error.value.message_dict == {"home_site": ["Not found for this customer."]}
