"""The flat driver, tag, external id and rights."""

from api.flat import FlatSerializer
from drivers import columns
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag
from hierarchy.column_types import api_keys


class FlatDriverSerializer(FlatSerializer):
    """A driver with the id of the home site; null is a spare driver."""

    model = Driver
    kind, noun, nouns = "driver", "driver", "drivers"
    keys = api_keys(columns.DRIVER)
    sample = {
        "id": 41,
        "name": "Dora",
        "homeGroupId": 12,
        "externalId": "D-1",
        "homeGroupName": "East car park",
        "spareUsers": [],
    }


class FlatTagSerializer(FlatSerializer):
    """A tag with the id of its driver. `expiringDate` null: it never expires."""

    model = Tag
    kind, noun, nouns = "tag", "tag", "tags"
    keys = api_keys(columns.TAG)
    sample = {
        "id": 71,
        "idTag": "04A1B2C3",
        "driverId": 41,
        "expiringDate": "2028-06-01T00:00:00Z",
        "tokenName": "Card",
    }


class FlatExternalIdSerializer(FlatSerializer):
    """A driver's id in another system."""

    model = IntegratedExternalId
    kind, noun, nouns = "externalId", "external id", "external ids"
    keys = api_keys(columns.EXTERNAL_ID)
    sample = {"id": 9, "referenceType": 0, "referenceId": "fleet", "externalId": "F-77"}


class FlatSiteRightSerializer(FlatSerializer):
    """A driver's right to charge at a site and everything below it."""

    model = SiteRight
    kind, noun, nouns = "siteRight", "right on a site", "rights on sites"
    keys = api_keys(columns.SITE_RIGHT)
    sample = {"id": 3, "driverId": 41, "groupId": 12}


class FlatChargerRightSerializer(FlatSerializer):
    """A driver's right to charge at one charger, which `chargerId` names as it is called now."""

    model = ChargerRight
    kind, noun, nouns = "chargerRight", "right on a charger", "rights on chargers"
    keys = api_keys(columns.CHARGER_RIGHT)
    sample = {"id": 4, "driverId": 41, "chargerId": "QUAY-1"}
