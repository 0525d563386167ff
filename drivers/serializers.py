"""The documented driver, tag, external id and user group (contract section 4), keys in the contract's order; and the
answers about who may charge where, and why."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api import inputs, wire
from chargers.serializers import ChargerSerializer
from chargers.vocabulary import CHARGER_ID_LENGTH
from drivers.access import Code
from drivers.evidence import STATUSES
from drivers.similar_tags import TagDifference
from hierarchy.fields import NEVER_EXPIRES
from hierarchy.serializers import SiteSerializer


class TagSerializer(serializers.Serializer[Any]):
    id = wire.Integer(source="pk")
    idTag = wire.String(source="id_tag")
    expiringDate = wire.Timestamp(source="expires_at", missing=NEVER_EXPIRES)
    startDate = wire.OptionalTimestamp(source="starts_at")
    lastUpdated = wire.OptionalTimestamp(source="last_updated")
    tokenName = wire.String(source="token_name")
    invoicable = wire.Boolean(source="is_invoicable")


class IntegratedExternalIdSerializer(serializers.Serializer[Any]):
    referenceType = wire.ReferenceTypeNumber(source="reference_type")
    referenceId = wire.String(source="reference_id")
    externalId = wire.String(source="external_id")
    effectiveFrom = wire.OptionalTimestamp(source="effective_from")


class DriverSerializer(serializers.Serializer[Any]):
    id = wire.Integer(source="pk")
    name = wire.String()
    homeGroupId = wire.Integer(source="home_site_id", missing=0)
    homeGroupName = wire.String(source="home_site.name")
    externalId = wire.String(source="external_id")
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

    isSpare = wire.Boolean(source="is_spare")
    subgroups = wire.Recursive(source="shown_subsites")
    users = wire.Branches(child=DriverSerializer(), source="shown_drivers")
    id = wire.Integer(source="pk")
    groupName = wire.String(source="name")
    groupType = wire.GroupTypeNumber(source="group_type")
    externalId = wire.String(source="external_id")


class UserTreeSerializer(serializers.Serializer[Any]):
    userGroups = wire.Branches(child=UserGroupSerializer(), source="user_groups")
    spareUsers = wire.Branches(child=DriverSerializer(), source="spare_drivers")


# How many sites one request may ask about.
MOST_SITES = 20


class SiteIdsSerializer(serializers.Serializer[Any]):
    """The sites about which is asked, in the order in which they are answered."""

    groupIds = serializers.ListField(child=serializers.IntegerField(), max_length=MOST_SITES)


class AccessQuestionSerializer(serializers.Serializer[Any]):
    """Query parameters."""

    chargerId = inputs.StringInput(max_length=CHARGER_ID_LENGTH, help_text=_("The charger ID, ignoring case."))
    idTag = inputs.StringInput(max_length=255, help_text=_("The ID tag, ignoring case."))
    at = inputs.TimestampInput(
        required=False,
        help_text=_("The time to check, with its offset from UTC; by default now."),
        error_messages={
            "invalid": _(
                "Must be a moment with an offset from UTC, as in 2026-06-01T12:00:00Z; write a plus sign as %2B."
            )
        },
    )


@extend_schema_field({"type": "string", "enum": [code.value for code in STATUSES]})
class Reason(wire.String):
    """The code of what decided."""


@extend_schema_field({"type": "string", "enum": [code.value for code in Code]})
class EvidenceCode(wire.String):
    """What a step found."""


@extend_schema_field({"type": "array", "items": {"type": "string", "enum": [one.value for one in TagDifference]}})
class Differences(wire.StringList):
    """In what a tag differs from the one that was asked about."""


@extend_schema_field({"type": "string", "enum": ["site", "charger"]})
class RightKind(wire.String):
    """On what a right was granted."""


class RightSerializer(serializers.Serializer[Any]):
    """A right, the site on which it was granted, or that of the charger, and the visible sites down to that one."""

    kind = RightKind()
    id = wire.OptionalInteger(source="right_id")
    chargerId = wire.OptionalString(source="charger_id")
    groupId = wire.Integer(source="site_id")
    groupName = wire.String(source="site_name")
    path = wire.StringList()
    levels = wire.OptionalInteger()
    hidden = wire.Boolean(source="is_hidden")


class DriverNameSerializer(serializers.Serializer[Any]):
    id = wire.Integer(source="pk")
    name = wire.String()


class PresentedTagSerializer(serializers.Serializer[Any]):
    id = wire.Integer(source="pk")
    idTag = wire.String(source="id_tag")
    expiringDate = wire.Timestamp(source="expires_at", missing=NEVER_EXPIRES)
    startDate = wire.OptionalTimestamp(source="starts_at")
    tokenName = wire.String(source="token_name")


class EvidenceSerializer(serializers.Serializer[Any]):
    """One step: what it found, and where."""

    code = EvidenceCode()
    tag = PresentedTagSerializer(allow_null=True)
    differences = Differences()
    driver = DriverNameSerializer(allow_null=True)
    right = RightSerializer(allow_null=True)
    otherRights = wire.OptionalInteger(source="other_rights")


class AccessSerializer(serializers.Serializer[Any]):
    """Whether charging is allowed, why, the same in the words of three protocols, and the steps that led there."""

    allowed = wire.Boolean(source="is_allowed")
    reason = Reason()
    ocpp16 = wire.String(source="statuses.ocpp16")
    ocpp201 = wire.String(source="statuses.ocpp201")
    ocpi = wire.String(source="statuses.ocpi")
    evidence = EvidenceSerializer(many=True)


class ExplainedDriverSerializer(serializers.Serializer[Any]):
    """A driver who may charge at a charger, and the rights that say so, nearest first."""

    driver = DriverNameSerializer(source="*")
    rights = RightSerializer(many=True)


class ReachedChargerSerializer(serializers.Serializer[Any]):
    """A charger at which a driver may charge, and the nearest right that says so."""

    chargerId = wire.String(source="charger_id")
    chargerName = wire.String(source="name")
    groupId = wire.Integer(source="site_id")
    groupName = wire.String(source="site_name")
    path = wire.StringList()
    right = RightSerializer()


class ReachSerializer(serializers.Serializer[Any]):
    """A page of the chargers at which a driver may charge."""

    items = ReachedChargerSerializer(many=True)
    next = wire.OptionalString()
