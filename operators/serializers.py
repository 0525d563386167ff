"""The documented operator, operator group and authorised site (contract section 4), keys in the contract's order."""

from typing import Any

from rest_framework import serializers

from api import wire
from chargers.serializers import ChargerSerializer
from drivers.serializers import DriverSerializer


class ColleagueSerializer(serializers.Serializer[Any]):
    """An operator at home at an authorised site; `groups` is empty, which ends the circle."""

    id = wire.Integer(source="pk")
    name = wire.String()
    operatorId = wire.String(source="operator_id")
    emailAddress = wire.String(source="email")
    homeGroupId = wire.Integer(source="home_site_id", missing=0)
    homeGroupName = wire.String(source="home_site.name")
    isAdminOperator = wire.Boolean(source="is_admin_operator")
    groups = wire.EmptyList()


class AuthorisedSiteSerializer(serializers.Serializer[Any]):
    subgroups = wire.Recursive(source="shown_subsites")
    operators = wire.Branches(child=ColleagueSerializer(), source="shown_operators")
    users = wire.Branches(child=DriverSerializer(), source="shown_drivers")
    chargers = wire.Branches(child=ChargerSerializer(), source="shown_chargers")
    id = wire.Integer(source="pk")
    groupName = wire.String(source="name")
    groupType = wire.GroupTypeNumber(source="group_type")
    externalId = wire.String(source="external_id")


class OperatorSerializer(ColleagueSerializer):
    groups = wire.Branches(child=AuthorisedSiteSerializer(), source="shown_sites")  # type: ignore[assignment]


class OperatorGroupSerializer(serializers.Serializer[Any]):
    """A site with the operators who are at home there."""

    isSpare = wire.Boolean(source="is_spare")
    subgroups = wire.Recursive(source="shown_subsites")
    operators = wire.Branches(child=OperatorSerializer(), source="shown_operators")
    id = wire.Integer(source="pk")
    groupName = wire.String(source="name")
    groupType = wire.GroupTypeNumber(source="group_type")
    externalId = wire.String(source="external_id")


class OperatorTreeSerializer(serializers.Serializer[Any]):
    operatorGroups = wire.Branches(child=OperatorGroupSerializer(), source="operator_groups")
    spareOperators = wire.Branches(child=OperatorSerializer(), source="spare_operators")
