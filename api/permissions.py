"""Whether a request may come in at all; what it may see and change is the scope's and the services' business."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from api.errors import NotAuthorised
from hierarchy.request_context import context_of


class HasScope(BasePermission):
    """The authentication left a caller on the request."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if context_of(request._request).caller is None:
            raise NotAuthorised()
        return True
