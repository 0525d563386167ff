"""What every view of the API shares: its parameters and its streamed answer."""

from collections.abc import Collection, Container, Sequence
from functools import partial
from typing import Any, NoReturn

from django.conf import settings
from django.http import StreamingHttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string
from rest_framework.request import Request
from rest_framework.views import APIView

from api.errors import BadParameters
from api.negotiation import CONTENT_TYPE, refuse_wrapped
from api.parameters import check_names
from api.rendering import Piece, stream
from hierarchy.errors import NotFound


class ApiView(APIView):
    """A view that knows its query parameters; every other is refused."""

    query_parameters: Sequence[str] = ()
    bad_parameters: type[BadParameters] = BadParameters
    # Of a POST with an `Idempotency-Key`: whether all it writes may be one transaction with the answer that is kept,
    # and whether the answer may be kept at all, which is no place for secrets.
    posts_are_one_transaction: bool = False
    answers_are_kept: bool = True

    @property
    def caller(self) -> Any:
        """Who asks: the authentication left it on Django's request."""
        return self.request._request.caller  # type: ignore[attr-defined]

    @property
    def scope(self) -> Any:
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
        post = getattr(self, "post", None)
        if post and request.method == "POST" and "Idempotency-Key" in request.headers:
            # By its name: what it keeps belongs to the operators' keys, of which this floor knows nothing.
            vars(self)["post"] = partial(import_string(settings.API_ANSWER_ONCE), self, post)

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
