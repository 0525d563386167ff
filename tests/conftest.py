"""The world in which the tests play.

Northwind runs two trees of sites. At the top, Harbour: two car parks below it, one with a garage; and Airport, alone.
Southwind is another customer, whose things nobody at Northwind ever sees.

    Harbour (N-1)            QUAY-1, sockets 1 and 2
      East car park
        Garage               GAR-1, socket 1; GAR-2, no socket
      West car park
    Airport                  AIR-1, socket 1
    Depot (Southwind)        DEP-1, socket 1

Ada is Northwind's admin operator. Rob is restricted to the East car park, where he is at home. Nell has no grant.
Sue is Southwind's admin operator. Pat is platform staff.
Dora drives from the Garage with two tags and may charge at Harbour; Dirk is at home at the Airport and may charge at
GAR-1 only; Spike is spare and may charge nowhere. Sid is Southwind's.
"""

import datetime
import gc
import pickle
from collections.abc import Callable, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models.sql import InsertQuery
from whitenoise.middleware import WhiteNoiseMiddleware

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy import journal
from hierarchy.models import Customer, Site
from operators.models import Operator, SiteGrant

NOON = datetime.datetime(2026, 6, 1, 12, 0, tzinfo=datetime.UTC)


def pytest_collection_finish():
    """What was imported stays: looking through it for garbage, again and again, would take a tenth of all the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture(scope="session", autouse=True)
def static_files_are_looked_for_once():
    """Each client has middleware of its own, and every one would walk through the folders of static files."""
    found: dict[str, Any] = {}
    look = WhiteNoiseMiddleware.add_files_from_finders

    def look_once(middleware):
        if not found:
            look(middleware)
            found.update(middleware.files)
        middleware.files = found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
        yield


def made(model, **values):
    """A saved row."""
    row = model(**values)
    if isinstance(row, Operator):
        row.set_password("correct horse battery")
    row.save()
    return row


# By name the stories that were told in this process, as statements that write their rows and what was returned,
# pickled: so they are told again many times quicker.
_told: dict[str, tuple[list[tuple[str, Any]], bytes]] = {}


def told(name: str, story: Callable[[], Any]) -> Any:
    """What `story` returns, after it wrote its rows into an empty database."""
    if name not in _told:
        returned = story()
        _told[name] = (list(_inserts()), pickle.dumps(returned))
        return returned
    inserts, pickled = _told[name]
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        for sql, values in inserts:
            cursor.execute(sql, values)
    return pickle.loads(pickled)


def _inserts() -> Iterator[tuple[str, Any]]:
    """The statements that write all rows of ours as they are in the database."""
    for app in ("hierarchy", "chargers", "drivers", "operators"):
        for model in apps.get_app_config(app).get_models():
            rows = model._base_manager.iterator()
            while batch := list(islice(rows, 200)):
                query = InsertQuery(model)
                query.insert_values(model._meta.concrete_fields, batch, raw=True)
                yield from query.get_compiler(connection=connection).as_sql()


@pytest.fixture
def world(db):
    """Everything in the module's docstring, by name."""
    return told("world", _made_world)


def _made_world():
    w = SimpleNamespace()
    # In one transaction: its lines of the journal are written once.
    with journal.recording():
        w.northwind = made(Customer, name="Northwind", time_zone="Europe/Amsterdam")
        w.southwind = made(Customer, name="Southwind")

        w.harbour = made(Site, customer=w.northwind, name="Harbour", external_id="N-1", public_name="The Harbour")
        w.east = made(Site, parent=w.harbour, name="East car park")
        w.garage = made(Site, parent=w.east, name="Garage")
        w.west = made(Site, parent=w.harbour, name="West car park")
        w.airport = made(Site, customer=w.northwind, name="Airport")
        w.depot = made(Site, customer=w.southwind, name="Depot")

        w.quay_1 = made(
            Charger,
            site=w.harbour,
            charger_id="QUAY-1",
            name="Quay one",
            manufacturer="Alfen",
            latitude=52.0907,
            longitude=5.1214,
            city="Utrecht",
            evse_id="NL*NWD*E1",
            capabilities=["REMOTE_START_STOP_CAPABLE"],
            custom_properties={"owner": "Port", "asset": "17"},
        )
        w.gar_1 = made(Charger, site=w.garage, charger_id="GAR-1", name="Garage one")
        w.gar_2 = made(Charger, site=w.garage, charger_id="GAR-2", name="Garage two")
        w.air_1 = made(Charger, site=w.airport, charger_id="AIR-1", name="Gate A")
        w.dep_1 = made(Charger, site=w.depot, charger_id="DEP-1", name="Depot one")
        for charger, numbers in ((w.quay_1, (1, 2)), (w.gar_1, (1,)), (w.air_1, (1,)), (w.dep_1, (1,))):
            for number in numbers:
                made(Socket, charger=charger, number=number, name=f"Socket {number}", type="Type2", max_power_w=22000)
        made(ChargerConfiguration, charger=w.quay_1, name="HeartbeatInterval", value="300")
        # Reported, not edited: one socket is online, one in error, the rest are offline.
        Charger._base_manager.filter(pk=w.quay_1.pk).update(
            status="Available", has_active_connection=True, last_seen=NOON, firmware_version="6.5"
        )
        w.quay_1.sockets.model._base_manager.filter(charger=w.quay_1).update(reported_at=NOON)
        Socket._base_manager.filter(charger=w.quay_1, number=1).update(status="Charging")
        Socket._base_manager.filter(charger=w.quay_1, number=2).update(status="Error")

        w.pat = made(Operator, email="pat@platform.example", name="Pat", is_superuser=True)
        w.ada = made(Operator, customer=w.northwind, email="ada@northwind.example", name="Ada", is_admin_operator=True)
        w.rob = made(Operator, customer=w.northwind, email="rob@northwind.example", name="Rob", home_site=w.east)
        w.nell = made(Operator, customer=w.northwind, email="nell@northwind.example", name="Nell")
        w.sue = made(Operator, customer=w.southwind, email="sue@southwind.example", name="Sue", is_admin_operator=True)
        made(SiteGrant, operator=w.rob, site=w.east)

        w.dora = made(Driver, home_site=w.garage, name="Dora", external_id="D/1", payer_id=4)
        w.dirk = made(Driver, home_site=w.airport, name="Dirk")
        w.spike = made(Driver, customer=w.northwind, name="Spike")
        w.sid = made(Driver, home_site=w.depot, name="Sid")
        w.dora_card = made(Tag, driver=w.dora, id_tag="04A1B2C3", token_name="Card")
        w.dora_fob = made(
            Tag,
            driver=w.dora,
            id_tag="04FFEE01",
            token_name="Fob",
            starts_at=NOON,
            expires_at=NOON + datetime.timedelta(days=30),
        )
        w.sid_card = made(Tag, driver=w.sid, id_tag="04A1B2C3")
        made(SiteRight, driver=w.dora, site=w.harbour)
        made(ChargerRight, driver=w.dirk, charger=w.gar_1)
        made(SiteRight, driver=w.sid, site=w.depot)
        made(IntegratedExternalId, driver=w.dora, reference_id="fleet", external_id="F-77", effective_from=NOON)
    return w
