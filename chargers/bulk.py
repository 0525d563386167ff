"""The tables of chargers and sockets, and the registers that fill them."""

from django.utils.translation import gettext_lazy as _

from chargers.models import Charger, Socket
from chargers.registers import irve
from hierarchy.bulk.tables import Column, Format, Table, register

CHARGERS = Table(
    name="chargers",
    model=Charger,
    columns=(
        Column("chargerId", "charger_id"),
        Column("group", "site", refers_to="sites"),
        Column("chargerName", "name"),
        Column("manufacturer", "manufacturer"),
        Column("chargerModel", "model"),
        Column("serialNumber", "serial_number"),
        Column("latitude", "latitude"),
        Column("longitude", "longitude"),
        Column("streetAddress", "street_address"),
        Column("streetNumber", "street_number"),
        Column("houseLetter", "house_letter"),
        Column("postalNumber", "postal_number"),
        Column("city", "city"),
        Column("area", "area"),
        Column("country", "country"),
        Column("evseId", "evse_id"),
        Column("splitEvseBySocket", "is_evse_split_by_socket"),
        Column("pushIntegrationEnabled", "is_push_integration_enabled"),
        Column("chargerSpecificMessageStructure", "has_specific_message_structure"),
        Column("capabilities", "capabilities"),
        Column("integrationRelays", "integration_relays"),
        Column("physicalReference", "physical_reference"),
        Column("iccid", "iccid"),
        Column("imsi", "imsi"),
        Column("meterSerialNumber", "meter_serial_number"),
        Column("meterType", "meter_type"),
        Column("customProperties", "custom_properties"),
    ),
    keys=(("chargerId",),),
    together=("latitude", "longitude"),
)

SOCKETS = Table(
    name="sockets",
    model=Socket,
    columns=(
        Column("chargerId", "charger", refers_to="chargers"),
        Column("id", "number"),
        Column("name", "name"),
        Column("type", "type"),
        Column("format", "format"),
        Column("socketPowerType", "power_type"),
        Column("maxPower", "max_power"),
        Column("maxWatts", "max_power_w"),
        Column("maxVoltage", "max_voltage_v"),
        Column("maxAmperage", "max_current_a"),
        Column("phaseRotation", "phase_rotation"),
        Column("deviceEvseId", "device_evse_id"),
        Column("deviceConnectorId", "device_connector_id"),
        Column("chargingStationEvseId", "charging_station_evse_id"),
        Column("termsAndConditions", "terms_and_conditions"),
    ),
    keys=(("chargerId", "id"),),
)

register(CHARGERS, SOCKETS, Format("irve", _("French national register of charging points (IRVE)"), irve.read))
