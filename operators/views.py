"""Page 002 and its kin: operators by home site."""

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from api.conditions import tagged
from api.parameters import row_id, switch
from api.schema import boolean_parameter, path_parameter
from api.views import ApiView, streamed
from hierarchy.db import snapshot
from hierarchy.errors import NotFound
from hierarchy.models import Site
from operators.documents import home_operators, operator_tree, spare_operators
from operators.serializers import OperatorGroupSerializer, OperatorTreeSerializer


class HomeOperatorsView(ApiView):
    @extend_schema(
        operation_id="getHomeOperators",
        summary="Get a home site with its operators and subsites",
        description="Site 0 is the group of the operators without a home site; only admin operators see it.",
        parameters=[path_parameter("siteId", int, "The site's id, or 0.")],
        responses=OperatorGroupSerializer,
        tags=["Operators"],
    )
    @tagged
    def get(self, request: Request, siteId: str) -> StreamingHttpResponse:
        pk = row_id("siteId", siteId)
        with snapshot():
            if pk == 0 and self.scope.is_admin:
                return streamed(spare_operators(self.scope))
            if not Site.objects.visible_to(self.scope).filter(pk=pk).exists():
                raise NotFound("Site")
            return streamed(home_operators(self.scope, pk))


class OperatorTreeView(ApiView):
    query_parameters = ("excludeHierarchy",)

    @extend_schema(
        operation_id="getOperatorTree",
        summary="List operators with the tree of their home sites",
        description="Each operator carries the authorised sites with their chargers, drivers and operators.",
        parameters=[boolean_parameter("excludeHierarchy", "true: every operator's groups are empty.")],
        responses=OperatorTreeSerializer,
        tags=["Operators"],
    )
    @tagged
    def get(self, request: Request) -> StreamingHttpResponse:
        bare = switch(request._request, "excludeHierarchy")
        with snapshot():
            pieces = operator_tree(self.scope, with_hierarchy=not bare)
        return streamed(pieces)
