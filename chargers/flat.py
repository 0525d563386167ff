"""The flat charger, socket and configuration."""

from api.flat import FlatSerializer
from chargers import columns
from chargers.models import Charger, ChargerConfiguration, Socket
from hierarchy.column_types import api_keys


class FlatChargerSerializer(FlatSerializer):
    """A charger with the id of its site. What it reports of itself cannot be written here."""

    model = Charger
    kind, noun, nouns = "charger", "charger", "chargers"
    keys = api_keys(columns.CHARGER)
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
    keys = api_keys(columns.SOCKET)
    sample = {"objectId": 88, "id": 1, "name": "Left", "type": "Type2", "maxWatts": 22000, "status": "Charging"}


class FlatConfigurationSerializer(FlatSerializer):
    """A configuration key of a charger; `objectId` is what changes call it."""

    model = ChargerConfiguration
    kind, noun, nouns = "configuration", "configuration", "configurations"
    keys = api_keys(columns.CONFIGURATION)
    sample = {"objectId": 5, "configName": "HeartbeatInterval", "configValue": "300", "canBeChanged": True}
