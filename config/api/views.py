"""What every view of the API shares: its parameters and its streamed answer."""

from collections.abc import Sequence
from typing import Any, NoReturn

from django.http import StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.views import APIView

from config.api.errors import BadParameters, NotFound
from config.api.negotiation import CONTENT_TYPE
from config.api.parameters import check_names
from config.api.rendering import Piece, stream


class ApiView(APIView):
    """A view that knows its query parameters; every other is refused."""

    query_parameters: Sequence[str] = ()
    bad_parameters: type[BadParameters] = BadParameters

    @property
    def caller(self) -> Any:
        """Who asks: the authentication left it on Django's request."""
        return self.request._request.caller  # type: ignore[attr-defined]

    @property
    def scope(self) -> Any:
        """What the caller may see."""
        return self.caller.scope

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        check_names(request._request, self.query_parameters, self.bad_parameters)


def streamed(pieces: Sequence[Piece]) -> StreamingHttpResponse:
    """A nested document whose rows have all been read."""
    response = StreamingHttpResponse(stream(pieces), content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept, X-API-Key, Cookie"
    return response


class UnknownPath(APIView):
    """Every path of the API that is none."""

    authentication_classes = ()
    permission_classes = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> NoReturn:
        raise NotFound()
