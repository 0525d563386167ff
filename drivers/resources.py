"""Drivers, tags, external ids and rights as flat objects."""

import dataclasses
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer
from rest_framework.request import Request

from api.parameters import wrong
from api.resources import Collection, Item, ReadOnlyCollection, Resource, Tie
from api.schema import Operation
from chargers.flat import FlatChargerSerializer
from drivers.flat import (
    FlatChargerRightSerializer,
    FlatDriverSerializer,
    FlatExternalIdSerializer,
    FlatSiteRightSerializer,
    FlatTagSerializer,
)
from drivers.serializers import DriverSerializer
from drivers.views import DriverView
from hierarchy.flat import FlatSiteSerializer

_DRIVER: dict[str, tuple[type, str]] = {"userId": (int, "The driver's id.")}


class Drivers(Resource):
    flat = FlatDriverSerializer
    tag = "Drivers"
    parameter = "userId"


class DriverCollection(Drivers, Collection):
    pass


class DriverItem(Drivers, Item, DriverView):
    """The one whose GET is the documented, nested object unless the flat one is asked for."""

    VIEWS = ("nested", "flat")

    def known_parameters(self) -> tuple[str, ...]:
        return ("view",) if self.request.method in ("GET", "HEAD") else ()

    def get(self, request: Request, userId: str) -> Any:  # type: ignore[override]
        view = request.query_params.get("view", "nested")
        if view not in self.VIEWS:
            raise wrong("view", "invalid_choice", _("Must be one of %s.") % ", ".join(self.VIEWS))
        return Item.get(self, request) if view == "flat" else DriverView.get(self, request, userId)

    def operation(self, method: str) -> Operation:
        operation = super().operation(method)
        if method != "GET":
            return operation
        choice = OpenApiParameter("view", str, enum=self.VIEWS, default="nested", description="Which object to give.")
        return dataclasses.replace(
            operation,
            summary="Get a driver with sites, chargers and tags, or as a flat object",
            description="Nested, with the whole trees below the sites that the driver was granted; "
            "with `view=flat` the row alone.",
            parameters=[*operation.parameters, choice],
            responses={
                200: PolymorphicProxySerializer(
                    "DriverNestedOrFlat",
                    [DriverSerializer, FlatDriverSerializer],
                    resource_type_field_name=None,
                    many=False,
                )
            },
            examples=(),
        )


class Tags(Resource):
    flat = FlatTagSerializer
    tag = "Tags"
    parameter = "tagId"


class TagCollection(Tags, Collection):
    pass


class TagItem(Tags, Item):
    pass


class OfDriver(Resource):
    tag = "Drivers"
    within = _DRIVER

    def driver(self) -> Any:
        """The driver in the address, locked when something is to be written."""
        return self.find(FlatDriverSerializer, "id", "userId", lock=self.is_writing)

    @cached_property
    def given(self) -> dict[str, Any]:
        return {"driver": self.driver()}


class ExternalIds(OfDriver):
    flat = FlatExternalIdSerializer
    parameter = "id"


class ExternalIdCollection(ExternalIds, Collection):
    pass


class ExternalIdItem(ExternalIds, Item):
    pass


class SiteRights(OfDriver):
    flat = FlatSiteRightSerializer


class SiteRightList(SiteRights, ReadOnlyCollection):
    pass


class SiteRightTie(SiteRights, Tie):
    within = {**_DRIVER, "siteId": (int, "The site's id.")}

    @cached_property
    def given(self) -> dict[str, Any]:
        return {"driver": self.driver(), "site": self.find(FlatSiteSerializer, "id", "siteId")}


class ChargerRights(OfDriver):
    flat = FlatChargerRightSerializer


class ChargerRightList(ChargerRights, ReadOnlyCollection):
    pass


class ChargerRightTie(ChargerRights, Tie):
    within = {**_DRIVER, "chargerId": (str, "The charger ID, ignoring case.")}

    @cached_property
    def given(self) -> dict[str, Any]:
        return {"driver": self.driver(), "charger": self.find(FlatChargerSerializer, "chargerId", "chargerId")}
