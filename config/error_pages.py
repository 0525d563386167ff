"""HTML error pages, with an explanation, advice and the request ID, and the error handlers that render them.

URLs of the API respond with problem+json instead. Signed-in users see the page inside the admin's layout, except for
server errors: those pages need neither a session nor a database.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from api import errors
from config.middleware import current_request_id
from hierarchy.errors import DomainError, NotFound, NotPermitted, Text

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    title: Text
    meaning: Text
    advice: Text


PAGES = {
    400: Page(
        _("This request could not be read"),
        _("The URL or the submitted form is invalid. Nothing was changed."),
        _("Check the URL if you typed it. Otherwise go back, reload the page and try again."),
    ),
    403: Page(
        _("You are not allowed to do this"),
        _("You are signed in, but you do not have this permission. Nothing was changed."),
        _("Ask an admin operator of your organisation to do it, or to give you access."),
    ),
    404: Page(
        _("Page not found"),
        _("The URL is wrong, the object was deleted, or you have no access to it."),
        _("Check the URL, or search from the home page."),
    ),
    409: Page(
        _("Someone else changed this first"),
        _("This record was changed after you opened the page. Nothing was saved."),
        _("Go back, reload the page, and repeat your change if it is still needed."),
    ),
    413: Page(
        _("This request is too large"),
        _("You sent more than this page accepts. Nothing was changed."),
        _("Send fewer rows, or a smaller file."),
    ),
    429: Page(
        _("Too many requests"),
        _("Your network sent too many requests in a short time. Nothing was changed."),
        _("Wait a few minutes, then reload the page."),
    ),
    500: Page(
        _("Something went wrong on our side"),
        _("Your last change was not saved."),
        _("Try again. If it happens again, give your administrator the request ID below."),
    ),
    503: Page(
        _("The server is busy"),
        _("The database is not responding. Nothing was changed."),
        _("Wait a moment, then reload the page. If you go back, your input is still there."),
    ),
}

# The CSRF token is missing or invalid.
CSRF_FAILED = Page(
    _("This page was open for too long"),
    _(
        "It no longer belongs to your session: you signed in or out after opening it, or your browser blocks "
        "cookies. Nothing was changed."
    ),
    _("Go back, reload the page and try again. If that does not help, allow cookies for this site."),
)


def error_page(
    request: HttpRequest, status: int, detail: Text = "", page: Any = None, links: Iterable[tuple[str, str]] = ()
) -> HttpResponse:
    """The error page of a status. `detail` replaces the general meaning.

    `page` replaces the texts of the status; `links` are (label, URL).
    """
    context = {
        "status": status,
        "page": page or PAGES.get(status, PAGES[400]),
        "detail": detail,
        "links": list(links),
        "request_id": current_request_id(),
    }
    body = _in_admin_layout(request, context) if status < 500 else None
    answer = HttpResponse(body or _without_layout(context), status=status)
    if status == 503:
        answer.headers["Retry-After"] = "5"
    return answer


def _in_admin_layout(request: HttpRequest, context: dict[str, Any]) -> str | None:
    """The page inside the admin's layout for signed-in users; None otherwise, or if rendering fails."""
    try:
        if not request.user.is_authenticated:
            return None
        frame = {
            **admin.site.each_context(request),
            "title": context["page"].title,
            "is_popup": "_popup" in request.GET,
        }
        return render_to_string("admin/error.html", {**frame, **context}, request)
    except Exception:
        logger.warning("Cannot render an error page inside the admin's layout.", exc_info=True)
        return None


def _without_layout(context: dict[str, Any]) -> str:
    try:
        return render_to_string("error.html", context)
    except Exception:
        # Templates or static files are unavailable.
        logger.warning("Cannot render the template of an error page.", exc_info=True)
        page = context["page"]
        return format_html(
            "<!doctype html><title>{0}</title><h1>{0}</h1><p>{1}</p><p>{2}</p>",
            page.title,
            page.advice,
            context["request_id"],
        )


# Django's handlers.


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        is_known = isinstance(exception, SuspiciousOperation)
        return errors.problem_response(request, exception if is_known else errors.BadBody())
    is_too_large = isinstance(exception, RequestDataTooBig | TooManyFieldsSent | TooManyFilesSent)
    return error_page(request, 413 if is_too_large else 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return errors.problem_response(request, NotPermitted()) if is_api(request) else error_page(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return errors.problem_response(request, NotFound()) if is_api(request) else error_page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    return errors.internal_error(request) if is_api(request) else error_page(request, 500)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_page(request, 403, page=CSRF_FAILED)


def is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


class ProblemMiddleware:
    """Turns uncaught domain errors and database outages into error pages."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> Any:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DomainError):
            return error_page(request, errors.problem_of(exception).status, exception.detail)
        if isinstance(exception, OperationalError | InterfaceError):
            logger.error("The database is not responding.", exc_info=exception)
            return error_page(request, 503)
        return None
