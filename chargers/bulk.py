"""The tables of chargers and sockets, and the registers that fill them."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from bulk.tables import Column, Format, ReportedColumn, Table, register
from chargers.models import Charger, ChargerConfiguration, Socket
from chargers.registers import bnetza, irve


def _number_of_sockets() -> Any:
    sockets = Socket.objects.filter(charger=OuterRef("pk")).order_by().values("charger").annotate(number=Count("pk"))
    return Coalesce(Subquery(sockets.values("number"), output_field=IntegerField()), 0)


CHARGERS = Table(
    name="chargers",
    model=Charger,
    columns=(
        Column("chargerId", "charger_id", example="NORTH-0001"),
        Column("group", "site", refers_to="sites", example="Region North / Campus A / Garage"),
        Column("chargerName", "name", example="Left of the gate"),
        Column("manufacturer", "manufacturer", example="Alfen"),
        Column("chargerModel", "model", example="Eve Double"),
        Column("serialNumber", "serial_number", example="ACE0123456"),
        Column("latitude", "latitude", example=52.370216),
        Column("longitude", "longitude", example=4.895168),
        Column("streetAddress", "street_address", example="Damrak"),
        Column("streetNumber", "street_number", example="1"),
        Column("houseLetter", "house_letter", example="A"),
        Column("postalNumber", "postal_number", example="1012 LG"),
        Column("city", "city", example="Amsterdam"),
        Column("area", "area", example="Noord-Holland"),
        Column("country", "country", example="Netherlands"),
        Column("evseId", "evse_id", example="NL*CTR*E0001"),
        Column("splitEvseBySocket", "is_evse_split_by_socket", example=False),
        Column("pushIntegrationEnabled", "is_push_integration_enabled", example=False),
        Column("chargerSpecificMessageStructure", "has_specific_message_structure", example=False),
        Column("capabilities", "capabilities", example="RFID_READER, REMOTE_START_STOP_CAPABLE"),
        Column("integrationRelays", "integration_relays"),
        Column("physicalReference", "physical_reference", example="P-17"),
        Column("iccid", "iccid", example="8931087118071200000"),
        Column("imsi", "imsi", example="204080000000000"),
        Column("meterSerialNumber", "meter_serial_number", example="M-123"),
        Column("meterType", "meter_type", example="MID"),
        Column("customProperties", "custom_properties", example='{"owner": "City"}'),
    ),
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
    columns=(
        Column("chargerId", "charger", refers_to="chargers", example="NORTH-0001"),
        Column("id", "number", example=1),
        Column("name", "name", example="Left"),
        Column("type", "type", example="IEC_62196_T2"),
        Column("format", "format", example="SOCKET"),
        Column("socketPowerType", "power_type", example="AC_3_PHASE"),
        Column("maxPower", "max_power", example="22 kW"),
        Column("maxWatts", "max_power_w", example=22000),
        Column("maxVoltage", "max_voltage_v", example=400),
        Column("maxAmperage", "max_current_a", example=32),
        Column("phaseRotation", "phase_rotation", example="RST"),
        Column("deviceEvseId", "device_evse_id", example=1),
        Column("deviceConnectorId", "device_connector_id", example=1),
        Column("chargingStationEvseId", "charging_station_evse_id", example=1),
        Column("termsAndConditions", "terms_and_conditions", example="https://example.org/terms"),
    ),
    keys=(("chargerId", "id"),),
    reports=(ReportedColumn("status", "status"), ReportedColumn("lastUpdated", "reported_at")),
)

CONFIGURATIONS = Table(
    name="configurations",
    model=ChargerConfiguration,
    columns=(
        Column("chargerId", "charger", refers_to="chargers", example="NORTH-0001"),
        Column("configName", "name", example="HeartbeatInterval"),
        Column("configValue", "value", example="900"),
        Column("canBeChanged", "can_be_changed", example=True),
    ),
    keys=(("chargerId", "configName"),),
)

register(
    CHARGERS,
    SOCKETS,
    CONFIGURATIONS,
    Format("irve", _("French national register of charging points (IRVE)"), irve.read),
    Format("bnetza", _("German register of charging devices (Bundesnetzagentur)"), bnetza.read),
)
