"""The documented site, whole and in outline (contract section 4), keys in the contract's order."""

from typing import Any

from rest_framework import serializers

from chargers.serializers import ChargerSerializer
from config.api import wire


class SiteSerializer(serializers.Serializer[Any]):
    onlineSocket = wire.OptionalInt32(source="online_sockets")
    offlineSocket = wire.OptionalInt32(source="offline_sockets")
    errorSocket = wire.OptionalInt32(source="error_sockets")
    subgroups = wire.Recursive(source="shown_subsites")
    chargers = wire.Branches(child=ChargerSerializer(), source="shown_chargers")
    payerId = wire.OptionalInteger(source="payer_id")
    costId = wire.Text(source="cost_id")
    costName = wire.Text(source="cost_name")
    paymentRecipientId = wire.OptionalInteger(source="payment_recipient_id")
    id = wire.Integer(source="pk")
    groupName = wire.Text(source="name")
    groupType = wire.GroupType(source="group_type")
    externalId = wire.Text(source="external_id")


class SiteOutlineSerializer(serializers.Serializer[Any]):
    """What `excludeDetails=true` leaves of a site."""

    id = wire.Integer(source="pk")
    groupName = wire.Text(source="name")
    groupType = wire.GroupType(source="group_type")
    subgroups = wire.Recursive(source="shown_subsites")
