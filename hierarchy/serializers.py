"""The documented site, whole and in outline (contract section 4), keys in the contract's order; and imports."""

from enum import StrEnum
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api import wire
from chargers.serializers import ChargerSerializer
from hierarchy import journal
from hierarchy.fields import NEVER_HAPPENED


class SiteSerializer(serializers.Serializer[Any]):
    onlineSocket = wire.OptionalInt32(source="online_sockets")
    offlineSocket = wire.OptionalInt32(source="offline_sockets")
    errorSocket = wire.OptionalInt32(source="error_sockets")
    subgroups = wire.Recursive(source="shown_subsites")
    chargers = wire.Branches(child=ChargerSerializer(), source="shown_chargers")
    payerId = wire.OptionalInteger(source="payer_id")
    costId = wire.String(source="cost_id")
    costName = wire.String(source="cost_name")
    paymentRecipientId = wire.OptionalInteger(source="payment_recipient_id")
    id = wire.Integer(source="pk")
    groupName = wire.String(source="name")
    groupType = wire.GroupTypeNumber(source="group_type")
    externalId = wire.String(source="external_id")


class SiteOutlineSerializer(serializers.Serializer[Any]):
    """What `excludeDetails=true` leaves of a site."""

    id = wire.Integer(source="pk")
    groupName = wire.String(source="name")
    groupType = wire.GroupTypeNumber(source="group_type")
    subgroups = wire.Recursive(source="shown_subsites")


class RowCountsSerializer(serializers.Serializer[Any]):
    """What happens, or happened, to the rows of one table."""

    created = wire.Integer()
    changed = wire.Integer()
    moved = wire.Integer()
    deleted = wire.Integer()
    unchanged = wire.Integer()


class FindingSerializer(serializers.Serializer[Any]):
    """What is odd or wrong at one place of a file; `row` 0 is the file as a whole."""

    sheet = wire.String()
    row = wire.Integer(
        help_text="As a spreadsheet counts, the header being row 1; in JSON the place in a list, from 1."
    )
    column = wire.String()
    value = wire.String()
    message = wire.String()


class PlanState(StrEnum):
    """How far a planned import is."""

    PLANNED = "planned"
    APPLIED = "applied"
    EXPIRED = "expired"
    WITH_ERRORS = "withErrors"


class ImportPlanSerializer(serializers.Serializer[Any]):
    """A file that was compared with the network. `importId` is what it was applied as, null until then."""

    id = wire.Integer()
    state = serializers.ChoiceField(choices=[state.value for state in PlanState])
    fileName = wire.String()
    format = wire.String(help_text="The register whose file it is; empty for our own tables.")
    table = wire.String()
    pruneSite = wire.String()
    createdAt = wire.Timestamp(missing=NEVER_HAPPENED)
    expiresAt = wire.Timestamp(missing=NEVER_HAPPENED)
    importId = wire.OptionalInteger()
    counts = serializers.DictField(child=RowCountsSerializer(), help_text="By table.")
    errorCount = wire.Integer()
    warningCount = wire.Integer()


class ImportPlanDetailsSerializer(ImportPlanSerializer):
    """A planned import with what was found in its file, the first hundred of each kind."""

    errors = FindingSerializer(many=True)  # type: ignore[assignment]
    warnings = FindingSerializer(many=True)
    notes = wire.StringList()


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "array", "items": {}, "minItems": 2, "maxItems": 2}}
)
class PlanDifferences(wire.WireField):
    """Pairs of any JSON values, by name."""


class StepSerializer(serializers.Serializer[Any]):
    """What happens to one object. `row` is that of the file, 0 for what the file does not name."""

    table = wire.String()
    action = serializers.ChoiceField(choices=journal.ACTIONS)
    object = wire.String(help_text="What people call it: the path of a site, the id of a charger.")
    row = wire.Integer()
    fields = PlanDifferences(help_text="By column, the old value and the new one.")  # type: ignore[assignment]


class ImportSerializer(serializers.Serializer[Any]):
    """A file that was imported, from any source. Its changes carry its ID."""

    id = wire.Integer()
    fileName = wire.String()
    format = wire.String()
    sha256 = wire.String()
    appliedAt = wire.Timestamp(missing=NEVER_HAPPENED)
    appliedBy = wire.String()
    road = serializers.ChoiceField(choices=journal.SOURCES)
    counts = serializers.DictField(child=RowCountsSerializer(), help_text="By table.")


class NextPage(serializers.URLField):
    """The address of the next page."""

    def __init__(self) -> None:
        super().__init__(allow_null=True, help_text="The address of the next page; null: this is the last.")


class ImportPlanPageSerializer(serializers.Serializer[Any]):
    """A page of planned imports."""

    items = ImportPlanSerializer(many=True)
    next = NextPage()


class StepPageSerializer(serializers.Serializer[Any]):
    """A page of steps."""

    items = StepSerializer(many=True)
    next = NextPage()


class ImportPageSerializer(serializers.Serializer[Any]):
    """A page of imports."""

    items = ImportSerializer(many=True)
    next = NextPage()
