"""The documented site, whole and in outline (contract section 4), keys in the contract's order."""

from rest_framework import serializers

from chargers.serializers import ChargerSerializer
from config.api import wire


class SiteSerializer(serializers.Serializer):
    onlineSocket = wire.OptionalInteger(source="online_sockets")
    offlineSocket = wire.OptionalInteger(source="offline_sockets")
    errorSocket = wire.OptionalInteger(source="error_sockets")
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


class SiteOutlineSerializer(serializers.Serializer):
    """What `excludeDetails=true` leaves of a site."""

    id = wire.Integer(source="pk")
    groupName = wire.Text(source="name")
    groupType = wire.GroupType(source="group_type")
    subgroups = wire.Recursive(source="shown_subsites")
