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

import copy
import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db.models import QuerySet

from chargers.models import Charger, ChargerConfiguration, Socket
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy import journal
from hierarchy.models import Customer, Site
from operators.models import Operator, SiteGrant

NOON = datetime.datetime(2026, 6, 1, 12, 0, tzinfo=datetime.UTC)


def made(model, **values):
    """A saved row."""
    row = model(**values)
    if isinstance(row, Operator):
        row.set_password("correct horse battery")
    row.save()
    return row


# The world as it was first made in this process, and its rows: to write these again is many times quicker.
_first: dict[str, Any] = {}


@pytest.fixture
def world(db):
    """Everything in the module's docstring, by name."""
    if not _first:
        made_world = _made_world()
        apps_of_ours = [apps.get_app_config(app) for app in ("hierarchy", "chargers", "drivers", "operators")]
        _first["rows"] = [list(model._base_manager.all()) for app in apps_of_ours for model in app.get_models()]
        _first["world"] = copy.deepcopy(made_world)
        return made_world
    for rows in _first["rows"]:
        if rows:
            QuerySet(type(rows[0])).bulk_create(rows)
    return copy.deepcopy(_first["world"])


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
