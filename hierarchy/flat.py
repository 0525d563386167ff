"""The flat site, and what changed."""

from typing import Any, ClassVar

from rest_framework import serializers

from api.flat import FlatSerializer
from hierarchy import columns, journal
from hierarchy.column_types import api_keys, api_types
from hierarchy.models import Site


class FlatSiteSerializer(FlatSerializer):
    """A site with the id of the site above; `parentId` null is the top."""

    model = Site
    kind, noun, nouns = "site", "site", "sites"
    keys = api_keys(columns.SITE)
    types = api_types(columns.SITE)
    sample = {
        "id": 12,
        "parentId": 7,
        "groupName": "East car park",
        "groupType": 2,
        "externalId": "N-12",
        "onlineSocket": 1,
        "offlineSocket": 0,
        "errorSocket": 0,
    }
    sample_above = {"id": 7, "parentId": None, "groupName": "Harbour", "groupType": 1, "externalId": "N-7"}


class ChangeSerializer(serializers.Serializer[Any]):
    """One change. `fields` has the old and the new value of each key that changed; `key` is the object's name then."""

    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = serializers.ChoiceField(choices=journal.ACTIONS)
    objectType = serializers.CharField()
    objectId = serializers.IntegerField()
    key = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField())  # type: ignore[assignment]
    actor = serializers.CharField()
    requestId = serializers.CharField()


class ChangePageSerializer(serializers.Serializer[Any]):
    """Changes, and where to go on; `hasMore` says whether there is more already."""

    items = ChangeSerializer(many=True)
    next = serializers.CharField()
    hasMore = serializers.BooleanField()

    sample: ClassVar[dict[str, Any]] = {
        "items": [
            {
                "sequence": 1207,
                "at": "2026-06-01T12:00:00.123Z",
                "action": journal.MOVED,
                "objectType": "charger",
                "objectId": 31,
                "key": "QUAY-1",
                "fields": {"groupId": [12, 14]},
                "actor": "ada@northwind.example",
                "requestId": "b5a2c1",
            }
        ],
        "next": "WyJmMTAyIiwxMjA3XQ:1xUjzE:SMQ_U6DMIR9s",
        "hasMore": False,
    }
