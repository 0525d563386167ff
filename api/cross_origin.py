"""Calls of the API from pages of other origins (the Fetch standard's CORS), for the origins that the settings name.

They come with a key, never with the admin's session: credentials are not allowed.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
_SENT = "Accept, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, X-Request-ID"
_SHOWN = (
    "Content-Disposition, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, "
    "X-Request-ID"
)
# For how many seconds a browser need not ask again.
_MAX_AGE = 7200


class CrossOriginMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        allowed: list[str] = settings.CORS_ALLOWED_ORIGINS
        if not allowed or not request.path.startswith("/api/"):
            return self.get_response(request)
        origin = request.headers.get("Origin", "")
        asks_first = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
        if asks_first and origin in allowed:
            response = HttpResponse(status=204, headers={"Allow": _METHODS})
            del response.headers["Content-Type"]
            response.headers["Access-Control-Allow-Methods"] = _METHODS
            response.headers["Access-Control-Allow-Headers"] = _SENT
            response.headers["Access-Control-Max-Age"] = str(_MAX_AGE)
        else:
            response = self.get_response(request)
        patch_vary_headers(response, ("Origin",))
        if origin in allowed:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = _SHOWN
        return response
