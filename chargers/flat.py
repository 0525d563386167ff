"""The flat charger, socket and configuration."""

from api.flat import FlatSerializer
from chargers.models import Charger, ChargerConfiguration, Socket


class FlatChargerSerializer(FlatSerializer):
    """A charger with the id of its site. What it reports of itself cannot be written here."""

    model = Charger
    kind, noun, nouns = "charger", "charger", "chargers"
    keys = {
        "id": "id",
        "chargerId": "charger_id",
        "groupId": "site",
        "chargerName": "name",
        "manufacturer": "manufacturer",
        "chargerModel": "model",
        "serialNumber": "serial_number",
        "latitude": "latitude",
        "longitude": "longitude",
        "streetAddress": "street_address",
        "streetNumber": "street_number",
        "houseLetter": "house_letter",
        "postalNumber": "postal_number",
        "city": "city",
        "area": "area",
        "country": "country",
        "evseId": "evse_id",
        "splitEvseBySocket": "is_evse_split_by_socket",
        "pushIntegrationEnabled": "is_push_integration_enabled",
        "chargerSpecificMessageStructure": "has_specific_message_structure",
        "capabilities": "capabilities",
        "integrationRelays": "integration_relays",
        "physicalReference": "physical_reference",
        "iccid": "iccid",
        "imsi": "imsi",
        "meterSerialNumber": "meter_serial_number",
        "meterType": "meter_type",
        "customProperties": "custom_properties",
        "chargerStatus": "status",
        "activeConnection": "has_active_connection",
        "lastSeen": "last_seen",
        "lastMessage": "last_message",
        "firmwareVersion": "firmware_version",
    }
    sample = {
        "id": 31,
        "chargerId": "QUAY-1",
        "groupId": 12,
        "chargerName": "Quay one",
        "latitude": 52.0907,
        "longitude": 5.1214,
        "city": "Utrecht",
        "chargerStatus": "Available",
        "activeConnection": True,
        "lastSeen": "2026-06-01T12:00:00Z",
    }


class FlatSocketSerializer(FlatSerializer):
    """A socket; `id` is its number on the charger, `objectId` what changes call it."""

    model = Socket
    kind, noun, nouns = "socket", "socket", "sockets"
    keys = {
        "objectId": "id",
        "id": "number",
        "name": "name",
        "type": "type",
        "format": "format",
        "socketPowerType": "power_type",
        "maxPower": "max_power",
        "maxWatts": "max_power_w",
        "maxVoltage": "max_voltage_v",
        "maxAmperage": "max_current_a",
        "phaseRotation": "phase_rotation",
        "deviceEvseId": "device_evse_id",
        "deviceConnectorId": "device_connector_id",
        "chargingStationEvseId": "charging_station_evse_id",
        "termsAndConditions": "terms_and_conditions",
        "status": "status",
        "lastUpdated": "reported_at",
    }
    sample = {"objectId": 88, "id": 1, "name": "Left", "type": "Type2", "maxWatts": 22000, "status": "Charging"}


class FlatConfigurationSerializer(FlatSerializer):
    """A configuration key of a charger; `objectId` is what changes call it."""

    model = ChargerConfiguration
    kind, noun, nouns = "configuration", "configuration", "configurations"
    keys = {
        "objectId": "id",
        "configName": "name",
        "configValue": "value",
        "canBeChanged": "can_be_changed",
    }
    sample = {"objectId": 5, "configName": "HeartbeatInterval", "configValue": "300", "canBeChanged": True}
