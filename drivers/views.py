"""Pages 001, 003 and 004 and their kin: drivers by home site, by what they may charge at, and one by an id."""

from django.db.models import Q
from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from chargers.models import Charger
from chargers.vocabulary import CHARGER_ID_LENGTH
from config.api.errors import NotFound
from config.api.parameters import body_ids, row_id, text_id
from config.api.rendering import array
from config.api.schema import NOT_FOUND, error_response, path_parameter
from config.api.views import ApiView, streamed
from drivers.access import drivers_reaching, drivers_reaching_site
from drivers.documents import authorised_users, driver_tree, home_drivers, render_drivers, spare_drivers
from drivers.models import Driver, Tag
from drivers.serializers import (
    AuthorisedUsersSerializer,
    DriverSerializer,
    SiteIdsSerializer,
    UserGroupSerializer,
    UserTreeSerializer,
)
from hierarchy.db import snapshot
from hierarchy.models import Site
from hierarchy.text import comparison_key

# How many sites one request may ask about.
MOST_SITES = 20


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
        pk = row_id("siteId", siteId)
        with snapshot():
            if pk == 0:
                if not self.scope.is_admin:
                    raise NotFound("Site")
                return streamed(spare_drivers(self.scope))
            site = Site.objects.visible_to(self.scope).filter(pk=pk).first()
            if site is None:
                raise NotFound("Site")
            return streamed(home_drivers(self.scope, site))


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
        key = comparison_key(text_id("chargerId", chargerId, CHARGER_ID_LENGTH))
        with snapshot():
            charger = Charger.objects.visible_to(self.scope).select_related("site").filter(charger_id_key=key).first()
            if charger is None:
                raise NotFound("Charger")
            drivers = Driver.objects.visible_to(self.scope).filter(drivers_reaching(charger))
            return streamed(array(render_drivers(self.scope, drivers).all))


class DriverTreeView(ApiView):
    @extend_schema(
        operation_id="getDriverTree",
        summary="All drivers and the tree of their home sites",
        description="Spare drivers, who have no home site, stand in a group of their own and in a list as well.",
        responses=UserTreeSerializer,
        tags=["Drivers"],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        with snapshot():
            return streamed(driver_tree(self.scope))


class SiteAuthorisedDriversView(ApiView):
    @extend_schema(
        operation_id="getSiteAuthorisedDrivers",
        summary="All drivers who may charge at a whole site",
        description="Granted on the site or on any site above; not on its chargers or subsites.",
        parameters=[path_parameter("siteId", int, "The site's id.")],
        responses=DriverSerializer(many=True),
        tags=["Drivers"],
    )
    def get(self, request: Request, siteId: str) -> StreamingHttpResponse:
        pk = row_id("siteId", siteId)
        with snapshot():
            if not Site.objects.visible_to(self.scope).filter(pk=pk).exists():
                raise NotFound("Site")
            drivers = Driver.objects.visible_to(self.scope).filter(drivers_reaching_site(pk))
            return streamed(array(render_drivers(self.scope, drivers).all))


class SitesAuthorisedDriversView(ApiView):
    @extend_schema(
        operation_id="getSitesAuthorisedDrivers",
        summary="All drivers who may charge at each of several whole sites",
        description=f"In the order asked, duplicates once; at most {MOST_SITES} sites. Nothing is written.",
        request=SiteIdsSerializer,
        responses={200: AuthorisedUsersSerializer(many=True), 404: error_response(NOT_FOUND)},
        tags=["Drivers"],
    )
    def post(self, request: Request) -> StreamingHttpResponse:
        ids = list(dict.fromkeys(body_ids(request.data, "groupIds", MOST_SITES)))
        with snapshot():
            sites = Site.objects.visible_to(self.scope).in_bulk(ids)
            if len(sites) < len(ids):
                raise NotFound("Site")
            return streamed(authorised_users(self.scope, [sites[pk] for pk in ids]))


class OneDriver(ApiView):
    """Answers with one driver, however that driver is found."""

    def one_driver(self, condition: Q, noun: str) -> StreamingHttpResponse:
        """The driver who fits; NotFound with `noun`, what was looked for, when the caller sees none."""
        with snapshot():
            documents = render_drivers(self.scope, Driver.objects.visible_to(self.scope).filter(condition)).all
        if not documents:
            raise NotFound(noun)
        return streamed(documents)


class DriverByExternalIdView(OneDriver):
    @extend_schema(
        operation_id="getDriverByExternalId",
        summary="One driver by external id",
        description="The id is the driver's own, not one of the integrated external ids. Case does not matter.",
        parameters=[path_parameter("externalId", str, "The external id; a slash may stand in it.")],
        responses=DriverSerializer,
        tags=["Drivers"],
    )
    def get(self, request: Request, externalId: str) -> StreamingHttpResponse:
        key = comparison_key(text_id("externalId", externalId, 255))
        return self.one_driver(Q(external_id_key=key) & ~Q(external_id_key=""), "Driver")


class DriverByTagView(OneDriver):
    @extend_schema(
        operation_id="getDriverByTag",
        summary="The driver who presents a tag",
        description="Whether the tag is valid does not matter. Case does not matter.",
        parameters=[path_parameter("idTag", str, "The id tag; a slash may stand in it.")],
        responses=DriverSerializer,
        tags=["Drivers"],
    )
    def get(self, request: Request, idTag: str) -> StreamingHttpResponse:
        key = comparison_key(text_id("idTag", idTag, 255))
        tags = Tag.objects.visible_to(self.scope).filter(id_tag_key=key)
        return self.one_driver(Q(pk__in=tags.values("driver_id")), "Tag")


class DriverView(OneDriver):
    @extend_schema(
        operation_id="getDriver",
        summary="One driver with all sites, chargers and tags",
        description="With the whole trees below the sites that the driver was granted.",
        parameters=[path_parameter("userId", int, "The driver's id.")],
        responses=DriverSerializer,
        tags=["Drivers"],
    )
    def get(self, request: Request, userId: str) -> StreamingHttpResponse:
        return self.one_driver(Q(pk=row_id("userId", userId)), "Driver")
