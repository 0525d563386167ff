"""The documented charger, socket, configuration and location (contract section 4), keys in the contract's order."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api import inputs, wire
from chargers.models import INT_MAX
from chargers.status import Outcome
from chargers.vocabulary import CHARGER_ID_LENGTH, Status
from hierarchy.fields import NEVER_HAPPENED, validate_line


@extend_schema_field({"type": "string", "enum": Status.values})
class StatusText(wire.String):
    """A status of the vocabulary."""


class LocationSerializer(serializers.Serializer[Any]):
    latitude = wire.OptionalNumber()
    longitude = wire.OptionalNumber()
    streetAddress = wire.OptionalString(source="street_address")
    streetNumber = wire.String(source="street_number")
    houseLetter = wire.OptionalString(source="house_letter")
    postalNumber = wire.String(source="postal_number")
    city = wire.OptionalString()
    area = wire.OptionalString()
    country = wire.OptionalString()


class ChargerConfigurationSerializer(serializers.Serializer[Any]):
    configName = wire.String(source="name")
    configValue = wire.String(source="value")
    canBeChanged = wire.Boolean(source="can_be_changed")


class SocketSerializer(serializers.Serializer[Any]):
    type = wire.OptionalString()
    maxPower = wire.OptionalString(source="max_power")
    status = StatusText()
    id = wire.Int32(source="number")
    name = wire.String()
    deviceEvseId = wire.OptionalInt32(source="device_evse_id")
    deviceConnectorId = wire.OptionalInt32(source="device_connector_id")
    format = wire.OptionalString()
    socketPowerType = wire.OptionalString(source="power_type")
    maxWatts = wire.OptionalInt32(source="max_power_w")
    maxVoltage = wire.OptionalInt32(source="max_voltage_v")
    maxAmperage = wire.OptionalInt32(source="max_current_a")
    phaseRotation = wire.OptionalString(source="phase_rotation")
    termsAndConditions = wire.OptionalUri(source="terms_and_conditions")
    lastUpdated = wire.Timestamp(source="reported_at", missing=NEVER_HAPPENED)
    chargingStationEvseId = wire.OptionalInt32(source="charging_station_evse_id")


class ChargerSerializer(serializers.Serializer[Any]):
    id = wire.Integer(source="pk")
    chargerId = wire.String(source="charger_id")
    chargerName = wire.String(source="name")
    groupId = wire.Integer(source="site_id")
    groupName = wire.String(source="site.name")
    firmwareVersion = wire.OptionalString(source="firmware_version")
    publicGroupName = wire.OptionalString(source="site.public_name")
    manufacturer = wire.OptionalString()
    serialNumber = wire.OptionalString(source="serial_number")
    chargerModel = wire.OptionalString(source="model")
    amountOfSockets = wire.Int32(source="socket_count")
    lastSeen = wire.Timestamp(source="last_seen", missing=NEVER_HAPPENED)
    lastMessage = wire.OptionalString(source="last_message")
    activeConnection = wire.Boolean(source="has_active_connection")
    chargerStatus = StatusText(source="status")
    locationInfo = LocationSerializer(source="*")
    pushIntegrationEnabled = wire.Boolean(source="is_push_integration_enabled")
    chargerSpecificMessageStructure = wire.Boolean(source="has_specific_message_structure")
    chargerConfigurations = ChargerConfigurationSerializer(source="ordered_configurations", many=True)
    sockets = SocketSerializer(source="ordered_sockets", many=True)
    evseId = wire.String(source="evse_id")
    splitEvseBySocket = wire.Boolean(source="is_evse_split_by_socket")
    capabilities = wire.StringList()
    physicalReference = wire.OptionalString(source="physical_reference")
    integrationRelays = wire.StringList(source="integration_relays")
    iccid = wire.OptionalString()
    imsi = wire.OptionalString()
    meterSerialNumber = wire.OptionalString(source="meter_serial_number")
    meterType = wire.OptionalString(source="meter_type")
    customProperties = wire.Properties(source="custom_properties")


class StatusReportSerializer(serializers.Serializer[Any]):
    """One report of a charger or socket, as it comes in. `socketId` 0, or none, is the charger itself."""

    chargerId = inputs.StringInput(source="charger_id", min_length=1, max_length=CHARGER_ID_LENGTH)
    socketId = inputs.IntegerInput(source="socket_number", default=0, min_value=0, max_value=INT_MAX)
    status = serializers.ChoiceField(choices=Status.values)
    at = inputs.TimestampInput()
    activeConnection = inputs.BooleanInput(source="is_connected", default=None, allow_null=True)
    message = inputs.StringInput(default=None, allow_null=True, max_length=1000, validators=[validate_line])
    firmwareVersion = inputs.StringInput(
        source="firmware_version", default=None, allow_null=True, max_length=255, validators=[validate_line]
    )


class StatusOutcomeSerializer(serializers.Serializer[Any]):
    """What became of a report: `index` is its place in the request, from 0."""

    index = serializers.IntegerField()
    chargerId = serializers.CharField()
    socketId = serializers.IntegerField()
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
