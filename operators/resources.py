"""Operators and their grants as flat objects, and who asks."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import cached_property
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from api.resources import Collection, Item, ReadOnlyCollection, Resource, Tie
from api.views import ApiView
from hierarchy.flat import FlatSiteSerializer
from hierarchy.models import Site
from operators.flat import FlatGrantSerializer, FlatOperatorSerializer, MeSerializer
from operators.models import Operator

_OPERATOR: dict[str, tuple[type, str]] = {"id": (int, "The operator's id, the number.")}


class Operators(Resource):
    flat = FlatOperatorSerializer
    tag = "Operators"
    parameter = "id"


class OperatorCollection(Operators, Collection):
    """A new operator has no password: somebody who may sets one in the admin."""

    def new_row(self, values: Mapping[str, Any]) -> Operator:
        operator: Operator = super().new_row(values)
        operator.set_unusable_password()
        return operator


class OperatorItem(Operators, Item):
    pass


class Grants(Resource):
    flat = FlatGrantSerializer
    tag = "Operators"
    within = _OPERATOR

    def operator(self) -> Any:
        """The operator in the address, locked when something is to be written."""
        return self.find(FlatOperatorSerializer, "id", "id", lock=self.is_writing)

    @cached_property
    def given(self) -> dict[str, Any]:
        return {"operator": self.operator()}


class GrantList(Grants, ReadOnlyCollection):
    pass


class GrantTie(Grants, Tie):
    within = {**_OPERATOR, "siteId": (int, "The site's id.")}

    @cached_property
    def given(self) -> dict[str, Any]:
        return {"operator": self.operator(), "site": self.find(FlatSiteSerializer, "id", "siteId")}


class MeView(ApiView):
    @extend_schema(
        operation_id="getMe",
        summary="Get the current operator",
        description="The operator for whom the key acts, and what that one may see and do now.",
        responses=MeSerializer,
        tags=["Operators"],
        examples=[OpenApiExample("A key of a restricted operator", value=MeSerializer.sample, response_only=True)],
    )
    def get(self, request: Request) -> Response:
        scope = self.scope
        sites = Site.objects.visible_to(scope)
        roots = sites.exclude(parent__in=sites.order_by().values("pk"))
        may_write = not scope.is_read_only
        me = {
            "operator": request.user,
            "key": request.auth,
            "roots": roots.order_by("name_key", "pk"),
            "permissions": {
                "write": may_write,
                "writeRoots": may_write and scope.is_admin,
                "seeSpare": scope.is_admin,
                "makeAdminOperators": may_write and scope.is_admin,
            },
        }
        return Response(MeSerializer(me).data)
