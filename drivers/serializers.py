"""The documented driver, tag, external id and user group (contract section 4), keys in the contract's order."""

from typing import Any

from rest_framework import serializers

from chargers.serializers import ChargerSerializer
from config.api import wire
from hierarchy.fields import NEVER_EXPIRES
from hierarchy.serializers import SiteSerializer


class TagSerializer(serializers.Serializer[Any]):
    id = wire.Integer(source="pk")
    idTag = wire.Text(source="id_tag")
    expiringDate = wire.Moment(source="expires_at", missing=NEVER_EXPIRES)
    startDate = wire.OptionalMoment(source="starts_at")
    lastUpdated = wire.OptionalMoment(source="last_updated")
    tokenName = wire.Text(source="token_name")
    invoicable = wire.Switch(source="is_invoicable")


class IntegratedExternalIdSerializer(serializers.Serializer[Any]):
    referenceType = wire.ReferenceType(source="reference_type")
    referenceId = wire.Text(source="reference_id")
    externalId = wire.Text(source="external_id")
    effectiveFrom = wire.OptionalMoment(source="effective_from")


class DriverSerializer(serializers.Serializer[Any]):
    id = wire.Integer(source="pk")
    name = wire.Text()
    homeGroupId = wire.Integer(source="home_site_id", missing=0)
    homeGroupName = wire.Text(source="home_site.name")
    externalId = wire.Text(source="external_id")
    tags = TagSerializer(source="ordered_tags", many=True)
    chargerGroups = wire.Branches(child=SiteSerializer(), source="shown_sites")
    chargers = wire.Branches(child=ChargerSerializer(), source="shown_chargers")
    payerId = wire.OptionalInteger(source="payer_id")
    integratedExternalIds = IntegratedExternalIdSerializer(source="ordered_external_ids", many=True)


class AuthorisedUsersSerializer(serializers.Serializer[Any]):
    """The drivers with a right on a site or on one above it."""

    groupId = wire.Integer(source="pk")
    users = wire.Branches(child=DriverSerializer(), source="shown_drivers")


class UserGroupSerializer(serializers.Serializer[Any]):
    """A site with the drivers who are at home there."""

    isSpare = wire.Switch(source="is_spare")
    subgroups = wire.Recursive(source="shown_subsites")
    users = wire.Branches(child=DriverSerializer(), source="shown_drivers")
    id = wire.Integer(source="pk")
    groupName = wire.Text(source="name")
    groupType = wire.GroupType(source="group_type")
    externalId = wire.Text(source="external_id")


class UserTreeSerializer(serializers.Serializer[Any]):
    userGroups = wire.Branches(child=UserGroupSerializer(), source="user_groups")
    spareUsers = wire.Branches(child=DriverSerializer(), source="spare_drivers")


class SiteIdsSerializer(serializers.Serializer[Any]):
    """The sites about which is asked, in the order in which they are answered."""

    groupIds = serializers.ListField(child=serializers.IntegerField())
