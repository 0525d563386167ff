"""What browsers are told not to do with our answers, beyond what Django's own middleware tells them.

Scripts and styles come from our own files alone, never from within a page: what somebody typed cannot become either.
Django has this policy from 6.0 on, and django-csp before; a constant header needs neither.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse

PERMISSIONS = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")


def content_security_policy() -> str:
    """Of foreign origins only that of the map's tiles."""
    tiles = urlsplit(settings.MAP_TILE_URL.replace("{s}", "*"))
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": " ".join(["'self'", "data:", *([f"{tiles.scheme}://{tiles.netloc}"] if tiles.netloc else [])]),
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


class SecurityHeadersMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self._headers = {
            "Content-Security-Policy": content_security_policy(),
            "Permissions-Policy": ", ".join(f"{name}=()" for name in PERMISSIONS),
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self._headers.items():
            response.headers[name] = value
        return response
