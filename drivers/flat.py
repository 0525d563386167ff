"""The flat driver, tag, external id and rights."""

from api.flat import FlatSerializer
from drivers.models import ChargerRight, Driver, IntegratedExternalId, SiteRight, Tag


class FlatDriverSerializer(FlatSerializer):
    """A driver with the id of the home site; null is a spare driver."""

    model = Driver
    kind, noun, nouns = "driver", "driver", "drivers"
    keys = {
        "id": "id",
        "name": "name",
        "homeGroupId": "home_site",
        "externalId": "external_id",
        "payerId": "payer_id",
    }
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
    keys = {
        "id": "id",
        "idTag": "id_tag",
        "driverId": "driver",
        "tokenName": "token_name",
        "startDate": "starts_at",
        "expiringDate": "expires_at",
        "invoicable": "is_invoicable",
        "lastUpdated": "last_updated",
    }
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
    keys = {
        "id": "id",
        "referenceType": "reference_type",
        "referenceId": "reference_id",
        "externalId": "external_id",
        "effectiveFrom": "effective_from",
    }
    sample = {"id": 9, "referenceType": 0, "referenceId": "fleet", "externalId": "F-77"}


class FlatSiteRightSerializer(FlatSerializer):
    """A driver's right to charge at a site and everything below it."""

    model = SiteRight
    kind, noun, nouns = "siteRight", "right on a site", "rights on sites"
    keys = {"id": "id", "driverId": "driver", "groupId": "site"}
    sample = {"id": 3, "driverId": 41, "groupId": 12}


class FlatChargerRightSerializer(FlatSerializer):
    """A driver's right to charge at one charger, which `chargerId` names as it is called now."""

    model = ChargerRight
    kind, noun, nouns = "chargerRight", "right on a charger", "rights on chargers"
    keys = {"id": "id", "driverId": "driver", "chargerId": "charger.charger_id"}
    sample = {"id": 4, "driverId": 41, "chargerId": "QUAY-1"}
