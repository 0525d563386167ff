"""The errors of the API, and the one place where an error becomes a response (RFC 9457, problem+json).

What the domain raises (`hierarchy.errors`) gets its status and code here.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import orjson
from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    ValidationError,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, status
from rest_framework.response import Response

from config.middleware import current_request_id
from hierarchy.errors import Conflict, DomainError, FieldError, NotFound, NotPermitted, Text, field_errors


class Problem(DomainError):
    """An error with a status, a code (its page of the docs) and the sentence of the contract as its title."""

    status: int = status.HTTP_400_BAD_REQUEST
    code: str = "bad-request"
    title: Text = "Bad request"

    def __init__(self, detail: Text = "", *, errors: Iterable[FieldError] = (), code: str = "") -> None:
        super().__init__(detail, errors=errors, code=code)
        # Whether the pointers lead into a list, and begin with the index of one of its items.
        self.is_of_items = False


class BadParameters(Problem):
    code = "bad-parameters"
    title = "Errors in the route parameters"


class BadTreeParameters(BadParameters):
    """The tree of sites has a sentence of its own."""

    title = "Exception occured"


class BadBody(Problem):
    code = "bad-body"
    title = "Errors in the body request"


class NotAuthorised(Problem):
    status = status.HTTP_401_UNAUTHORIZED
    code = "not-authorised"
    title = "Customer not found or not authorised"


class TooLarge(Problem):
    status = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    code = "too-large"
    title = "The body is too large"


class LengthRequired(Problem):
    status = status.HTTP_411_LENGTH_REQUIRED
    code = "length-required"
    title = "The body has no length"


class Unavailable(Problem):
    """The database is away, or so busy with other writers that this one gave up."""

    status = status.HTTP_503_SERVICE_UNAVAILABLE
    code = "unavailable"
    title = "Temporarily unavailable"


class _Other(Problem):
    """An error that the framework raised."""

    def __init__(self, code: str, title: Text, http_status: int, detail: str = "") -> None:
        self.code, self.title, self.status = code, title, http_status
        super().__init__(detail)


# Status, code and title of what the domain raises.
_DOMAIN: dict[type[DomainError], tuple[int, str, str]] = {
    NotPermitted: (status.HTTP_403_FORBIDDEN, "not-permitted", "Not permitted"),
    NotFound: (status.HTTP_404_NOT_FOUND, "not-found", "Not found"),
    Conflict: (status.HTTP_409_CONFLICT, "conflict", "Conflict with the current state"),
}


_FRAMEWORK: dict[type[Exception], tuple[str, str]] = {
    exceptions.MethodNotAllowed: ("method-not-allowed", "Method not allowed"),
    exceptions.NotAcceptable: ("not-acceptable", "Only application/json is offered"),
    exceptions.UnsupportedMediaType: ("unsupported-media-type", "Only application/json is accepted"),
}


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is; an unexpected exception is raised again."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, DomainError):
        return _of_domain(error)
    if isinstance(error, Http404 | exceptions.NotFound):
        return _of_domain(NotFound())
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return _of_domain(NotPermitted(str(getattr(error, "detail", ""))))
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        return NotAuthorised()
    if isinstance(error, ValidationError):
        return BadBody(errors=field_errors(error))
    if isinstance(error, DisallowedHost):
        return BadParameters(_("The Host header is not one of this server's hosts."))
    if isinstance(error, TooManyFieldsSent):
        return BadParameters(_("Too many parameters."))
    if isinstance(error, exceptions.ParseError | RequestDataTooBig | SuspiciousOperation):
        return BadBody(str(getattr(error, "detail", "")))
    if isinstance(error, OperationalError | InterfaceError):
        return Unavailable()
    for kind, (code, title) in _FRAMEWORK.items():
        if isinstance(error, kind):
            return _Other(code, title, getattr(error, "status_code", 400), str(getattr(error, "detail", "")))
    raise error


def _of_domain(error: DomainError) -> Problem:
    http_status, code, title = next(found for kind, found in _DOMAIN.items() if isinstance(error, kind))
    if isinstance(error, NotFound) and error.noun:
        title = f"{error.noun} not found for the customer"
    problem = _Other(code, title, http_status, error.detail)
    problem.errors, problem.reason = error.errors, error.reason
    return problem


def problem_document(problem: Problem, instance: str) -> dict[str, Any]:
    """The members of RFC 9457, in the contract's order."""
    document: dict[str, Any] = {
        "type": f"/problems/{problem.code}",
        "title": str(problem.title),
        "status": problem.status,
        "detail": problem.detail or str(problem.title),
        "instance": instance,
        "requestId": current_request_id(),
    }
    if problem.errors:
        document["errors"] = [asdict(error) for error in problem.errors]
    if problem.is_of_items:
        document["items"] = _by_item(problem.errors)
    return document


def _by_item(errors: Iterable[FieldError]) -> list[dict[str, Any]]:
    """The same errors by the item that they are about, with pointers into it."""
    found: dict[int, list[dict[str, str]]] = {}
    for error in errors:
        _before, index, *inner = error.pointer.split("/", 2)
        pointer = "".join(f"/{one}" for one in inner)
        found.setdefault(int(index), []).append({**asdict(error), "pointer": pointer})
    return [{"index": index, "errors": found[index]} for index in sorted(found)]


def prefers_plain_text(accept: str) -> bool:
    """Whether an Accept header asks for text/plain and for no JSON."""
    kinds = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    return "text/plain" in kinds and not any(kind.endswith(("/json", "+json")) for kind in kinds)


def problem_response(request: HttpRequest, error: Exception) -> HttpResponse:
    """An error as an HTTP answer: problem+json, or the bare sentence for who accepts plain text."""
    problem = problem_of(error)
    if prefers_plain_text(request.headers.get("Accept", "")):
        response = HttpResponse(str(problem.title), content_type="text/plain; charset=utf-8")
    else:
        response = HttpResponse(
            orjson.dumps(problem_document(problem, request.path)), content_type="application/problem+json"
        )
    response.status_code = problem.status
    if isinstance(problem, NotAuthorised):
        response.headers["WWW-Authenticate"] = 'ApiKey realm="Chargetree"'
    if isinstance(problem, Unavailable):
        response.headers["Retry-After"] = "5"
    return response


def internal_error(request: HttpRequest) -> HttpResponse:
    """The response to an error of the product: the request ID leads to it in the log."""
    return problem_response(request, _Other("internal-error", "Internal error", 500))


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | Response | None:
    """Django REST framework's hook: every failure of a view leaves through here."""
    request: HttpRequest = context["request"]._request
    response = problem_response(request, error)
    allowed = getattr(context["view"], "allowed_methods", None)
    if isinstance(error, exceptions.MethodNotAllowed) and allowed:
        response.headers["Allow"] = ", ".join(allowed)
    return response
