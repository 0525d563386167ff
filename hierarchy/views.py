"""Page 000: the tree of sites."""

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from config.api.errors import BadTreeParameters
from config.api.parameters import switch
from config.api.schema import boolean_parameter
from config.api.views import ApiView, streamed
from hierarchy.db import snapshot
from hierarchy.documents import site_outline, site_tree
from hierarchy.serializers import SiteSerializer


class SiteTreeView(ApiView):
    query_parameters = ("excludeDetails",)
    bad_parameters = BadTreeParameters

    @extend_schema(
        operation_id="getSiteTree",
        summary="The tree of all sites with their subsites and chargers",
        description="It begins at what the caller may see.",
        parameters=[boolean_parameter("excludeDetails", "true: only id, name, type and subsites of each site.")],
        responses=SiteSerializer(many=True),
        tags=["Sites"],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        outline = switch(request._request, "excludeDetails", BadTreeParameters)
        with snapshot():
            pieces = site_outline(request.caller.scope) if outline else site_tree(request.caller.scope)
        return streamed(pieces)
