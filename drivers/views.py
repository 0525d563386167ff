"""Pages 001, 003 and 004 and their kin: drivers by home site, by what they may charge at, and one by an id; and who
may charge where, and why."""

from typing import Any

from django.db.models import Q
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from api.conditions import tagged
from api.cursors import CURSOR_PAGING, cursor_position, limit_parameter, next_link, page_after, page_limit
from api.errors import BadParameters
from api.parameters import body_ids, row_id, switch, text_id
from api.rendering import array, dumps
from api.schema import NOT_FOUND, boolean_parameter, error_response, path_parameter
from api.views import ApiView, streamed
from chargers.models import Charger
from chargers.vocabulary import CHARGER_ID_LENGTH
from drivers.access import drivers_reaching, drivers_reaching_site
from drivers.documents import (
    authorised_users,
    driver_tree,
    explained,
    home_drivers,
    reached_charger,
    render_drivers,
    spare_drivers,
)
from drivers.evidence import may_charge, reached_chargers
from drivers.models import Driver, Tag
from drivers.serializers import (
    MOST_SITES,
    AccessQuestionSerializer,
    AccessSerializer,
    AuthorisedUsersSerializer,
    DriverSerializer,
    ExplainedDriverSerializer,
    ReachSerializer,
    SiteIdsSerializer,
    UserGroupSerializer,
    UserTreeSerializer,
)
from hierarchy.db import snapshot
from hierarchy.errors import FieldError, NotFound
from hierarchy.models import Site
from hierarchy.text import comparison_key

_RIGHT_EXAMPLE = {
    "kind": "site",
    "id": 31,
    "chargerId": None,
    "groupId": 7,
    "groupName": "Harbour",
    "path": ["Harbour"],
    "levels": 1,
    "hidden": False,
}
_STEP_EXAMPLE: dict[str, Any] = {"tag": None, "differences": [], "driver": None, "right": None, "otherRights": None}
_TAG_EXAMPLE = {
    "id": 12,
    "idTag": "04A1B2C3",
    "expiringDate": "9999-12-31T23:59:59Z",
    "startDate": None,
    "tokenName": "Card",
}
ACCESS_EXAMPLE = {
    "allowed": True,
    "reason": "right_on_site_above",
    "ocpp16": "Accepted",
    "ocpp201": "Accepted",
    "ocpi": "ALLOWED",
    "evidence": [
        {"code": "tag_found", **_STEP_EXAMPLE, "tag": _TAG_EXAMPLE},
        {"code": "tag_valid", **_STEP_EXAMPLE, "tag": _TAG_EXAMPLE},
        {"code": "driver", **_STEP_EXAMPLE, "driver": {"id": 5, "name": "Dora"}},
        {"code": "right_on_site_above", **_STEP_EXAMPLE, "right": _RIGHT_EXAMPLE},
    ],
}
REACH_EXAMPLE = {
    "items": [
        {
            "chargerId": "QUAY-2",
            "chargerName": "Quay two",
            "groupId": 8,
            "groupName": "East car park",
            "path": ["Harbour", "East car park"],
            "right": _RIGHT_EXAMPLE,
        }
    ],
    "next": None,
}


class HomeDriversView(ApiView):
    @extend_schema(
        operation_id="getHomeDrivers",
        summary="Get a home site with its drivers and subsites",
        description="Site 0 is the group of the drivers without a home site; only admin operators see it.",
        parameters=[path_parameter("siteId", int, "The site's id, or 0.")],
        responses=UserGroupSerializer,
        tags=["Drivers"],
    )
    @tagged
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


class AboutOneCharger(ApiView):
    """Answers about one charger."""

    def charger(self, charger_id: str) -> Charger:
        """The charger; NotFound when the caller sees none of this id."""
        chargers = Charger.objects.visible_to(self.scope).select_related("site")
        charger = chargers.filter(charger_id_key=comparison_key(charger_id)).first()
        if charger is None:
            raise NotFound("Charger")
        return charger


class AuthorisedDriversView(AboutOneCharger):
    query_parameters = ("explain",)

    @extend_schema(
        operation_id="getAuthorisedDrivers",
        summary="List drivers who may charge at a charger",
        description="Granted on the charger, on its site or on any site above. Tags' validity does not matter here.",
        parameters=[
            path_parameter("chargerId", str, "The charger ID, ignoring case."),
            boolean_parameter("explain", "true: of each driver the name, and the rights that reach the charger."),
        ],
        responses=PolymorphicProxySerializer(
            "AuthorisedDrivers", [DriverSerializer, ExplainedDriverSerializer], resource_type_field_name=None, many=True
        ),
        tags=["Drivers"],
    )
    @tagged
    def get(self, request: Request, chargerId: str) -> StreamingHttpResponse:
        charger_id = text_id("chargerId", chargerId, CHARGER_ID_LENGTH)
        with_reasons = switch(request._request, "explain")
        with snapshot():
            charger = self.charger(charger_id)
            if with_reasons:
                return streamed(explained(self.scope, charger))
            drivers = Driver.objects.visible_to(self.scope).filter(drivers_reaching(charger))
            return streamed(array(render_drivers(self.scope, drivers).all))


class DriverTreeView(ApiView):
    @extend_schema(
        operation_id="getDriverTree",
        summary="List drivers with the tree of their home sites",
        description="Spare drivers, who have no home site, stand in a group of their own and in a list as well.",
        responses=UserTreeSerializer,
        tags=["Drivers"],
    )
    @tagged
    def get(self, request: Request) -> StreamingHttpResponse:
        with snapshot():
            return streamed(driver_tree(self.scope))


class SiteAuthorisedDriversView(ApiView):
    @extend_schema(
        operation_id="getSiteAuthorisedDrivers",
        summary="List drivers who may charge at a whole site",
        description="Granted on the site or on any site above; not on its chargers or subsites.",
        parameters=[path_parameter("siteId", int, "The site's id.")],
        responses=DriverSerializer(many=True),
        tags=["Drivers"],
    )
    @tagged
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
        summary="List drivers who may charge at each of several sites",
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
                unknown = ", ".join(str(pk) for pk in ids if pk not in sites)
                raise NotFound("Site", _("Not found, or you have no access: %s.") % unknown)
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
        summary="Get a driver by external ID",
        description="The id is the driver's own, not one of the integrated external ids. Case does not matter.",
        parameters=[path_parameter("externalId", str, "The external id; a slash may stand in it.")],
        responses=DriverSerializer,
        tags=["Drivers"],
    )
    @tagged
    def get(self, request: Request, externalId: str) -> StreamingHttpResponse:
        key = comparison_key(text_id("externalId", externalId, 255))
        return self.one_driver(Q(external_id_key=key) & ~Q(external_id_key=""), "Driver")


class DriverByTagView(OneDriver):
    @extend_schema(
        operation_id="getDriverByTag",
        summary="Get a driver by tag",
        description="Whether the tag is valid does not matter. Case does not matter.",
        parameters=[path_parameter("idTag", str, "The id tag; a slash may stand in it.")],
        responses=DriverSerializer,
        tags=["Drivers"],
    )
    @tagged
    def get(self, request: Request, idTag: str) -> StreamingHttpResponse:
        key = comparison_key(text_id("idTag", idTag, 255))
        tags = Tag.objects.visible_to(self.scope).filter(id_tag_key=key)
        return self.one_driver(Q(pk__in=tags.values("driver_id")), "Tag")


class DriverView(OneDriver):
    @extend_schema(
        operation_id="getDriver",
        summary="Get a driver with sites, chargers and tags",
        description="With the whole trees below the sites that the driver was granted.",
        parameters=[path_parameter("userId", int, "The driver's id.")],
        responses=DriverSerializer,
        tags=["Drivers"],
    )
    @tagged
    def get(self, request: Request, userId: str) -> StreamingHttpResponse:
        return self.one_driver(Q(pk=row_id("userId", userId)), "Driver")


class AccessView(AboutOneCharger):
    query_parameters = tuple(AccessQuestionSerializer().fields)

    @extend_schema(
        operation_id="getAccess",
        summary="Check whether a tag may charge at a charger, and why",
        description=(
            "The answer is what the charger is told; the evidence shows what the caller may see. Nothing is written, "
            "and no session begins."
        ),
        parameters=[AccessQuestionSerializer],
        responses={200: AccessSerializer, 404: error_response(NOT_FOUND)},
        examples=[OpenApiExample("A right on the site above", value=ACCESS_EXAMPLE, response_only=True)],
        tags=["Access"],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        question = _question(request._request)
        with snapshot():
            charger = self.charger(question["chargerId"])
            answer = may_charge(self.scope, charger, question["idTag"], question.get("at") or timezone.now())
        return streamed([dumps(AccessSerializer(answer).data)])


def _question(request: HttpRequest) -> dict[str, Any]:
    try:
        return AccessQuestionSerializer().run_validation(request.GET.dict())
    except ValidationError as error:
        wrongs: Any = error.detail
        errors = [FieldError(name, one.code, str(one)) for name, found in wrongs.items() for one in found]
        raise BadParameters("; ".join(f"{one.pointer}: {one.detail}" for one in errors), errors=errors) from error


class ReachView(ApiView):
    query_parameters = CURSOR_PAGING

    @extend_schema(
        operation_id="getReach",
        summary="List the chargers accessible to a driver",
        description=(
            "By charger id, a page at a time, each with the nearest right that says so. Tags' validity does not matter "
            "here. `next` is the address of the next page, null on the last."
        ),
        parameters=[
            path_parameter("userId", int, "The driver's id."),
            limit_parameter("How many chargers a page has at most."),
            OpenApiParameter("cursor", str, description="Where the page begins: from the address in `next`."),
        ],
        responses=ReachSerializer,
        examples=[OpenApiExample("The last page", value=REACH_EXAMPLE, response_only=True)],
        tags=["Access"],
    )
    def get(self, request: Request, userId: str) -> StreamingHttpResponse:
        pk = row_id("userId", userId)
        limit = page_limit(request._request)
        # Pages begin behind a charger, by its comparison key.
        after = str(cursor_position(request._request) or "")
        with snapshot():
            driver = Driver.objects.visible_to(self.scope).filter(pk=pk).first()
            if driver is None:
                raise NotFound("Driver")
            reached = reached_chargers(self.scope, driver, after, limit + 1)
        page = reached[:limit]
        has_more = len(reached) > limit
        following = page_after(request._request, comparison_key(page[-1].charger_id)) if has_more else None
        items = [reached_charger(one) for one in page]
        response = streamed([dumps(dict(zip(ReachSerializer().fields, (items, following), strict=True)))])
        for name, value in next_link(following).items():
            response.headers[name] = value
        return response
