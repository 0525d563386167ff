"""Chargers, sockets and configurations as flat objects."""

from typing import Any

from django.utils.functional import cached_property

from api.resources import Collection, Item, Resource
from chargers.flat import FlatChargerSerializer, FlatConfigurationSerializer, FlatSocketSerializer


class Chargers(Resource):
    flat = FlatChargerSerializer
    tag = "Chargers"
    key = parameter = "chargerId"


class ChargerCollection(Chargers, Collection):
    pass


class ChargerItem(Chargers, Item):
    pass


class OfCharger(Resource):
    tag = "Chargers"
    within = {"chargerId": (str, "The charger ID, ignoring case.")}

    @cached_property
    def given(self) -> dict[str, Any]:
        return {"charger": self.find(FlatChargerSerializer, "chargerId", "chargerId")}


class Sockets(OfCharger):
    flat = FlatSocketSerializer
    parameter = "socketId"


class SocketCollection(Sockets, Collection):
    pass


class SocketItem(Sockets, Item):
    pass


class Configurations(OfCharger):
    flat = FlatConfigurationSerializer
    key = parameter = "configName"


class ConfigurationCollection(Configurations, Collection):
    pass


class ConfigurationItem(Configurations, Item):
    pass
