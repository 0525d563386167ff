"""Sites as flat objects, and the documented tree of one."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request

from api.conditions import tagged
from api.parameters import row_id, switch
from api.resources import Collection, Item, Resource
from api.schema import boolean_parameter, path_parameter
from api.views import ApiView, streamed
from hierarchy.db import snapshot
from hierarchy.documents import single_outline, single_site
from hierarchy.errors import NotFound
from hierarchy.flat import FlatSiteSerializer
from hierarchy.models import Site
from hierarchy.serializers import SiteOutlineSerializer, SiteSerializer


class Sites(Resource):
    flat = FlatSiteSerializer
    tag = "Sites"
    parameter = "siteId"

    def shown(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Where the caller's sight begins there is nothing above."""
        above = {item.get("parentId") for item in items} - {None} if self.scope.is_restricted else set()
        if above:
            seen = set(Site.objects.visible_to(self.scope).filter(pk__in=above).values_list("pk", flat=True))
            for item in items:
                if item.get("parentId") in above - seen:
                    item["parentId"] = None
        return items


class SiteCollection(Sites, Collection):
    pass


class SiteItem(Sites, Item):
    pass


class SubtreeView(ApiView):
    query_parameters = ("excludeDetails",)

    @extend_schema(
        operation_id="getSiteSubtree",
        summary="Get a site with its chargers and everything below it",
        description="The documented site, as in the tree of all sites.",
        parameters=[
            path_parameter("siteId", int, "The site's id."),
            boolean_parameter("excludeDetails", "true: only id, name, type and subsites of each site."),
        ],
        responses=PolymorphicProxySerializer(
            "SiteSubtree", [SiteSerializer, SiteOutlineSerializer], resource_type_field_name=None, many=False
        ),
        tags=["Sites"],
    )
    @tagged
    def get(self, request: Request, siteId: str) -> StreamingHttpResponse:
        pk = row_id("siteId", siteId)
        outline = switch(request._request, "excludeDetails")
        with snapshot():
            site = Site.objects.visible_to(self.scope).filter(pk=pk).first()
            if site is None:
                raise NotFound("Site")
            if outline:
                return streamed(single_outline(self.scope, site))
            return streamed(single_site(self.scope, site, without_subsites=False))
