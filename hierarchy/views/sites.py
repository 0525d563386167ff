"""Page 000 and its kin: the tree of sites, and one site by an id."""

from django.http import StreamingHttpResponse
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request

from api.conditions import tagged
from api.errors import BadTreeParameters
from api.parameters import switch, text_id
from api.schema import boolean_parameter, path_parameter
from api.views import ApiView, streamed
from hierarchy.db import snapshot
from hierarchy.documents import single_site, site_outline, site_tree
from hierarchy.errors import NotFound
from hierarchy.models import Site
from hierarchy.serializers import SiteOutlineSerializer, SiteSerializer
from hierarchy.text import comparison_key


class SiteTreeView(ApiView):
    query_parameters = ("excludeDetails",)
    bad_parameters = BadTreeParameters

    @extend_schema(
        operation_id="getSiteTree",
        summary="Get the tree of sites with chargers",
        description="It begins at what the caller may see.",
        parameters=[boolean_parameter("excludeDetails", "true: only id, name, type and subsites of each site.")],
        responses=PolymorphicProxySerializer(
            "SiteTree", [SiteSerializer, SiteOutlineSerializer], resource_type_field_name=None, many=True
        ),
        tags=["Sites"],
    )
    @tagged
    def get(self, request: Request) -> StreamingHttpResponse:
        outline = switch(request._request, "excludeDetails", BadTreeParameters)
        with snapshot():
            pieces = site_outline(self.scope) if outline else site_tree(self.scope)
        return streamed(pieces)


class SiteByExternalIdView(ApiView):
    query_parameters = ("excludeSubgroups",)

    @extend_schema(
        operation_id="getSiteByExternalId",
        summary="Get a site by external ID, with chargers and subsites",
        description="Case does not matter. The counts take in the subsites, shown or not.",
        parameters=[
            path_parameter("externalId", str, "The external id; a slash may stand in it."),
            boolean_parameter("excludeSubgroups", "true: the list of subsites is empty."),
        ],
        responses=SiteSerializer,
        tags=["Sites"],
    )
    @tagged
    def get(self, request: Request, externalId: str) -> StreamingHttpResponse:
        without_subsites = switch(request._request, "excludeSubgroups")
        key = comparison_key(text_id("externalId", externalId, 255))
        with snapshot():
            site = Site.objects.visible_to(self.scope).filter(external_id_key=key).first() if key else None
            if site is None:
                raise NotFound("Site")
            return streamed(single_site(self.scope, site, without_subsites))
