"""Page 002: operators by home site."""

from django.http import StreamingHttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from config.api.parameters import switch
from config.api.schema import boolean_parameter
from config.api.views import ApiView, streamed
from hierarchy.db import snapshot
from operators.documents import operator_tree
from operators.serializers import OperatorTreeSerializer


class OperatorTreeView(ApiView):
    query_parameters = ("excludeHierarchy",)

    @extend_schema(
        operation_id="getOperatorTree",
        summary="All operators and the tree of their home sites",
        description="Each operator carries the authorised sites with their chargers, drivers and operators.",
        parameters=[boolean_parameter("excludeHierarchy", "true: every operator's groups are empty.")],
        responses=OperatorTreeSerializer,
        tags=["Operators"],
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        bare = switch(request._request, "excludeHierarchy")
        with snapshot():
            pieces = operator_tree(request.caller.scope, with_hierarchy=not bare)
        return streamed(pieces)
