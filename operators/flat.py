"""The flat operator and grant, and who asks."""

from typing import Any, ClassVar

from rest_framework import serializers

from api import wire
from api.flat import FlatSerializer
from hierarchy.column_types import api_keys
from operators import columns
from operators.models import Operator, SiteGrant


class FlatOperatorSerializer(FlatSerializer):
    """An operator with the id of the home site. Passwords and keys are none of this object's business."""

    model = Operator
    kind, noun, nouns = "operator", "operator", "operators"
    keys = api_keys(columns.OPERATOR)
    sample = {
        "id": 6,
        "operatorId": "op_0f1e2d3c4b5a6978",
        "name": "Rob",
        "emailAddress": "rob@northwind.example",
        "homeGroupId": 12,
        "isActive": True,
        "homeGroupName": "East car park",
        "spareOperators": [],
    }


class FlatGrantSerializer(FlatSerializer):
    """An operator's sight of a site and everything below it."""

    model = SiteGrant
    kind, noun, nouns = "grant", "grant", "grants"
    keys = api_keys(columns.GRANT)
    sample = {"id": 8, "operatorId": "op_0f1e2d3c4b5a6978", "groupId": 12}


class CallerCustomerSerializer(serializers.Serializer[Any]):
    """The caller's customer."""

    id = wire.Integer(source="pk")
    name = wire.String()
    timeZone = wire.String(source="time_zone")


class CallerKeySerializer(serializers.Serializer[Any]):
    """The key with which the caller asks; `hint` is how it begins."""

    name = wire.String()
    hint = wire.String()
    readOnly = wire.Boolean(source="is_read_only")
    expires = wire.OptionalTimestamp(source="expires_at")


class CallerRootSerializer(serializers.Serializer[Any]):
    """A site at which the caller's sight begins."""

    id = wire.Integer(source="pk")
    groupName = wire.String(source="name")


class PermissionsSerializer(serializers.Serializer[Any]):
    """What the caller may do with what the caller sees."""

    write = serializers.BooleanField(help_text="Change sites, chargers, drivers and what belongs to them.")
    writeRoots = serializers.BooleanField(help_text="Change the topmost sites, and make new ones at the top.")
    seeSpare = serializers.BooleanField(help_text="See drivers and operators without a home site.")
    makeAdminOperators = serializers.BooleanField(help_text="Make and change admin operators.")


class MeSerializer(serializers.Serializer[Any]):
    """Who asks, and what that one may see and do. `key` is null for a session of the admin."""

    id = wire.Integer(source="operator.pk")
    operatorId = wire.String(source="operator.operator_id")
    name = wire.String(source="operator.name")
    emailAddress = wire.String(source="operator.email")
    isAdminOperator = wire.Boolean(source="operator.is_admin_operator")
    customer = CallerCustomerSerializer(source="operator.customer")
    key = CallerKeySerializer(allow_null=True)
    roots = CallerRootSerializer(many=True)
    permissions = PermissionsSerializer()

    sample: ClassVar[dict[str, Any]] = {
        "id": 6,
        "operatorId": "op_0f1e2d3c4b5a6978",
        "name": "Rob",
        "emailAddress": "rob@northwind.example",
        "isAdminOperator": False,
        "customer": {"id": 1, "name": "Northwind", "timeZone": "Europe/Amsterdam"},
        "key": {"name": "ERP", "hint": "ctk_7T3l", "readOnly": False, "expires": None},
        "roots": [{"id": 12, "groupName": "East car park"}],
        "permissions": {"write": True, "writeRoots": False, "seeSpare": False, "makeAdminOperators": False},
    }
