"""What every view of the API shares: its parameters and its streamed answer."""

from collections.abc import Collection, Container, Sequence
from typing import Any, NoReturn

from django.http import StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.views import APIView

from api.errors import BadParameters, NotAuthorised
from api.idempotency import Idempotency, answered_once
from api.negotiation import CONTENT_TYPE, refuse_wrapped
from api.parameters import check_names
from api.rendering import Piece, stream
from hierarchy.errors import NotFound
from hierarchy.request_context import context_of
from hierarchy.scoping import Caller, Scope


class ApiView(APIView):
    """A view that knows its query parameters; every other is refused."""

    query_parameters: Sequence[str] = ()
    bad_parameters: type[BadParameters] = BadParameters
    idempotency = Idempotency()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "post" in vars(cls):
            cls.post = answered_once(cls.post)  # type: ignore[attr-defined]

    @property
    def caller(self) -> Caller:
        """The current operator, as the authentication found."""
        caller = context_of(self.request._request).caller
        if caller is None:
            raise NotAuthorised()
        return caller

    @property
    def scope(self) -> Scope:
        """What the caller may see."""
        return self.caller.scope

    def known_parameters(self) -> Collection[str]:
        """The names of the parameters that this request may have."""
        return self.query_parameters

    def repeatable_parameters(self) -> Container[str]:
        """Those of them that may be given more than once."""
        return ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in self.allowed_methods:
            self.http_method_not_allowed(request)
        refuse_wrapped(request)
        check_names(request._request, self.known_parameters(), self.repeatable_parameters(), self.bad_parameters)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Cache-Control"] = "private, no-cache"
        patch_vary_headers(response, ("Accept", "X-API-Key", "Cookie"))
        return response


def streamed(pieces: Sequence[Piece]) -> StreamingHttpResponse:
    """A nested document whose rows have all been read."""
    return StreamingHttpResponse(stream(pieces), content_type=CONTENT_TYPE)


class UnknownPath(APIView):
    """Every path of the API that is none."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound()
