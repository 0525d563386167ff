"""The tables of chargers and sockets, and the registers that fill them."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from bulk.tables import Format, ReportedColumn, Table, register
from chargers import columns
from chargers.models import Charger, ChargerConfiguration, Socket
from chargers.registers import bnetza, irve
from hierarchy.column_types import bulk_columns


def _number_of_sockets() -> Any:
    sockets = Socket.objects.filter(charger=OuterRef("pk")).order_by().values("charger").annotate(number=Count("pk"))
    return Coalesce(Subquery(sockets.values("number"), output_field=IntegerField()), 0)


CHARGERS = Table(
    name="chargers",
    model=Charger,
    columns=bulk_columns(columns.CHARGER),
    keys=(("chargerId",),),
    together=("latitude", "longitude"),
    reports=(
        ReportedColumn("firmwareVersion", "firmware_version"),
        ReportedColumn("amountOfSockets", _number_of_sockets()),
        ReportedColumn("lastSeen", "last_seen"),
        ReportedColumn("lastMessage", "last_message"),
        ReportedColumn("activeConnection", "has_active_connection"),
        ReportedColumn("chargerStatus", "status"),
    ),
)

SOCKETS = Table(
    name="sockets",
    model=Socket,
    columns=bulk_columns(columns.SOCKET),
    keys=(("chargerId", "id"),),
    reports=(ReportedColumn("status", "status"), ReportedColumn("lastUpdated", "reported_at")),
)

CONFIGURATIONS = Table(
    name="configurations",
    model=ChargerConfiguration,
    columns=bulk_columns(columns.CONFIGURATION),
    keys=(("chargerId", "configName"),),
)

register(
    CHARGERS,
    SOCKETS,
    CONFIGURATIONS,
    Format("irve", _("French national register of charging points (IRVE)"), irve.read),
    Format("bnetza", _("German register of charging devices (Bundesnetzagentur)"), bnetza.read),
)
