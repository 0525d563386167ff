"""The current caller of the admin and its permissions, read once per request."""

from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.middleware import current_request_id
from hierarchy import journal, services
from hierarchy.entity import Entity
from hierarchy.errors import Conflict, DomainError
from hierarchy.request_context import context_of
from hierarchy.scoping import Caller, Scope

# Errors of a write that the user can fix.
WRITE_ERRORS = (DomainError, ValidationError, IntegrityError)


def caller_of(request: HttpRequest) -> Caller:
    """The caller of this request, cached on it. An anonymous caller has access to nothing."""
    context = context_of(request)
    if context.caller is None:
        user = request.user
        scope = user.scope() if user.is_authenticated else Scope(customer_id=None)
        context.caller = Caller(scope, user.get_username(), journal.ADMIN, current_request_id())
    return context.caller


def scope_of(request: HttpRequest) -> Scope:
    return caller_of(request).scope


def may_write(request: HttpRequest, row: Entity) -> bool:
    """Whether the services allow the caller to change this row.

    Cached per row and request, because a bound form writes unsaved input into the row later.
    """
    known = context_of(request).writable
    key = (type(row), row.pk)
    if key not in known:
        try:
            services.check_write(scope_of(request), row, row)
            known[key] = True
        except DomainError:
            known[key] = False
    return known[key]


def error_message(error: Exception) -> str:
    """The message that the page shows for a refused write."""
    if isinstance(error, IntegrityError):
        error = Conflict(_("This conflicts with a change made at the same time. Try again."))
    if isinstance(error, DomainError):
        return error.detail or str(error.title)
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    raise TypeError(f"{type(error).__name__} is not a refused write.")
