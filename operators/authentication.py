"""Who asks: turning a key or the admin's session into an operator and a `Caller` on the request.

Every failure is the same `NotAuthorised`, so that nobody learns whether a key, its operator or its customer exists.
Keys, operators and grants are read anew for each request: what is withdrawn stops working with the next one.
"""

import dataclasses
import datetime
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from api.errors import NotAuthorised
from config.middleware import current_request_id
from hierarchy import journal
from hierarchy.request_context import context_of
from hierarchy.scoping import Caller, Scope
from operators import keys
from operators.models import ApiKey, Operator

logger = logging.getLogger(__name__)

_USE_IS_NOTED_EVERY = datetime.timedelta(minutes=1)


class ApiKeyAuthentication(BaseAuthentication):
    """The header `X-API-Key`. Where it is given it decides, whatever session there is.

    Two statements: the key with its operator and customer, and the grants of a restricted operator.
    """

    def authenticate(self, request: Request) -> tuple[Operator, ApiKey] | None:
        text = request.headers.get("X-API-Key")
        if text is None:
            return None
        if not keys.is_key(text):
            raise NotAuthorised()
        found = ApiKey.unscoped.select_related("operator__customer").filter(digest=keys.digest(text))
        key: ApiKey | None = found.first()
        if key is None or not key.is_valid:
            raise NotAuthorised()
        scope = _scope(key.operator)
        _note_use(key)
        _let_in(request, key.operator, dataclasses.replace(scope, is_read_only=key.is_read_only))
        return key.operator, key


class AdminSessionAuthentication(SessionAuthentication):
    """The admin's session, for browsing the API's documentation and trying calls there. Writes need a CSRF token."""

    def authenticate(self, request: Request) -> tuple[Operator, None] | None:
        operator = getattr(request._request, "user", None)
        if not isinstance(operator, Operator):
            return None
        scope = _scope(operator)
        self.enforce_csrf(request)
        _let_in(request, operator, scope)
        return operator, None


def _scope(operator: Operator) -> Scope:
    """What the operator may see now; platform staff work in the admin only."""
    if not operator.is_active or operator.customer_id is None:
        raise NotAuthorised()
    return operator.scope()


def _let_in(request: Request, operator: Operator, scope: Scope) -> None:
    # On Django's request, so that middleware sees who it was as well.
    context_of(request._request).caller = Caller(
        scope=scope, label=operator.email, source=journal.API, request_id=current_request_id()
    )


def _note_use(key: ApiKey) -> None:
    """Write down, at most once a minute, that the key is in use; where somebody else is writing, not this time."""
    now = timezone.now()
    unnoted = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_IS_NOTED_EVERY)
    if key.last_used_at is not None and now - key.last_used_at < _USE_IS_NOTED_EVERY:
        return
    try:
        with _without_waiting(), transaction.atomic():
            rows = ApiKey.unscoped.filter(unnoted, pk=key.pk).select_for_update(skip_locked=True)
            ApiKey.unscoped.filter(pk__in=rows.values("pk")).update(last_used_at=now)
    except DatabaseError as error:
        logger.debug("The use of key %s was not noted: %s", key.hint, error)
        # Another thread would collect the cursor that the error holds, and wait there for this connection.
        for one in (error, error.__cause__):
            if one is not None:
                traceback.clear_frames(one.__traceback__)


@contextmanager
def _without_waiting() -> Iterator[None]:
    """Let SQLite give up at once, instead of after the usual time, when its one write lock is taken."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        (patience,) = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute("PRAGMA busy_timeout = 0")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(patience)}")
