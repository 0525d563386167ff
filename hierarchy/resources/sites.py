"""Sites as flat objects, and the documented tree of one."""

from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from config.api.errors import NotFound
from config.api.parameters import row_id
from config.api.schema import path_parameter
from config.api.views import ApiView, streamed
from hierarchy.db import snapshot
from hierarchy.documents import single_site
from hierarchy.flat import FlatSiteSerializer
from hierarchy.models import Site
from hierarchy.resources.base import Collection, Item, Resource
from hierarchy.revision import tagged
from hierarchy.serializers import SiteSerializer


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
    @extend_schema(
        operation_id="getSiteSubtree",
        summary="One site with its chargers and everything below it",
        description="The documented site, as in the tree of all sites.",
        parameters=[path_parameter("siteId", int, "The site's id.")],
        responses=SiteSerializer,
        tags=["Sites"],
    )
    @tagged
    def get(self, request: Request, siteId: str) -> StreamingHttpResponse:
        pk = row_id("siteId", siteId)
        with snapshot():
            site = Site.objects.visible_to(self.scope).filter(pk=pk).first()
            if site is None:
                raise NotFound("Site")
            return streamed(single_site(self.scope, site, without_subsites=False))
