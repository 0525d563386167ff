"""Pages 001, 003 and 004: drivers by home site, by charger, and one by id."""

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from chargers.models import Charger
from chargers.vocabulary import CHARGER_ID_LENGTH
from config.api.errors import NotFound
from config.api.parameters import row_id, text_id
from config.api.rendering import array
from config.api.schema import path_parameter
from config.api.views import ApiView, streamed
from drivers.access import drivers_reaching
from drivers.documents import home_drivers, render_drivers, spare_drivers
from drivers.models import Driver
from drivers.serializers import DriverSerializer, UserGroupSerializer
from hierarchy.db import snapshot
from hierarchy.models import Site
from hierarchy.text import comparison_key


class HomeDriversView(ApiView):
    @extend_schema(
        operation_id="getHomeDrivers",
        summary="A home site with its drivers and subsites",
        description="Site 0 is the group of the drivers without a home site; only admin operators see it.",
        parameters=[path_parameter("siteId", int, "The site's id, or 0.")],
        responses=UserGroupSerializer,
        tags=["Drivers"],
    )
    def get(self, request: Request, siteId: str) -> StreamingHttpResponse:
        scope = request.caller.scope
        pk = row_id("siteId", siteId)
        with snapshot():
            if pk == 0:
                if not scope.is_admin:
                    raise NotFound("Site")
                return streamed(spare_drivers(scope))
            site = Site.objects.visible_to(scope).filter(pk=pk).first()
            if site is None:
                raise NotFound("Site")
            return streamed(home_drivers(scope, site))


class AuthorisedDriversView(ApiView):
    @extend_schema(
        operation_id="getAuthorisedDrivers",
        summary="All drivers who may charge at a charger",
        description="Granted on the charger, on its site or on any site above. Tags' validity does not matter here.",
        parameters=[path_parameter("chargerId", str, "The charger's id, in any case.")],
        responses=DriverSerializer(many=True),
        tags=["Drivers"],
    )
    def get(self, request: Request, chargerId: str) -> StreamingHttpResponse:
        scope = request.caller.scope
        key = comparison_key(text_id("chargerId", chargerId, CHARGER_ID_LENGTH))
        with snapshot():
            charger = Charger.objects.visible_to(scope).select_related("site").filter(charger_id_key=key).first()
            if charger is None:
                raise NotFound("Charger")
            drivers = Driver.objects.visible_to(scope).filter(drivers_reaching(charger))
            return streamed(array(render_drivers(scope, drivers).all))


class DriverView(ApiView):
    @extend_schema(
        operation_id="getDriver",
        summary="One driver with all sites, chargers and tags",
        description="With the whole trees below the sites that the driver was granted.",
        parameters=[path_parameter("userId", int, "The driver's id.")],
        responses=DriverSerializer,
        tags=["Drivers"],
    )
    def get(self, request: Request, userId: str) -> StreamingHttpResponse:
        scope = request.caller.scope
        pk = row_id("userId", userId)
        with snapshot():
            documents = render_drivers(scope, Driver.objects.visible_to(scope).filter(pk=pk)).all
        if not documents:
            raise NotFound("Driver")
        return streamed(documents)
