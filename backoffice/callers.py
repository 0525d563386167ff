"""Who asks for a page of the admin, and what they may see and change; read once per request."""

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

# What a write may fail with and the person at the page can mend.
REFUSALS = (DomainError, ValidationError, IntegrityError)


def caller_of(request: HttpRequest) -> Caller:
    """The caller of this request, the same for its whole length. Who is not signed in sees nothing."""
    context = context_of(request)
    if context.caller is None:
        user = request.user
        scope = user.scope() if user.is_authenticated else Scope(customer_id=None)
        context.caller = Caller(scope, label=user.get_username(), road=journal.ADMIN, request_id=current_request_id())
    return context.caller


def scope_of(request: HttpRequest) -> Scope:
    return caller_of(request).scope


def may_write(request: HttpRequest, row: Entity) -> bool:
    """Whether the services would let the caller change this row.

    Asked once per row and request: later on the row may hold what was typed and not what is stored.
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


def sentence(error: Exception) -> str:
    """What a refused write is told to the person at the page."""
    if isinstance(error, IntegrityError):
        error = Conflict(_("This collides with a change made at the same moment: try again."))
    if isinstance(error, DomainError):
        return error.detail or str(error.title)
    if isinstance(error, ValidationError):
        return " ".join(error.messages)
    raise TypeError(f"{type(error).__name__} is no refusal.")
