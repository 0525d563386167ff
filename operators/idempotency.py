"""POST requests with an `Idempotency-Key`: however often one is sent, it is done once, and answered alike.

A row in a transaction of its own says that a request has begun; the database lets one of several equal ones make it.
What the request writes and the answer that is kept are committed together where the view allows that: then a request
whose process died has written nothing, and is simply done again.
"""

from __future__ import annotations

import datetime
import hashlib
import secrets
import zlib
from collections.abc import Callable
from typing import Any, cast

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError, models
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from api.errors import Problem
from api.idempotency import register_answer_store
from api.negotiation import CONTENT_TYPE, JSONRenderer
from api.parameters import wrong
from hierarchy import journal
from hierarchy.errors import Conflict
from operators.models import IdempotentRequest

KEPT_FOR = datetime.timedelta(hours=24)
# No request takes longer: who began before that is gone.
LONGEST = datetime.timedelta(minutes=10)
# A larger answer is not kept.
LARGEST = 8_000_000

_HEADERS = ("Location", "ETag", "Link", "WWW-Authenticate")
# They may be answered otherwise the next time, and nothing was done.
_NOT_KEPT = frozenset({401, 409, 411, 413, 429})


class UsedOtherwise(Problem):
    """The key came before, with another request."""

    status = 422
    code = "idempotency-key-reused"
    title = "The Idempotency-Key belongs to another request"


def once(view: Any, handler: Callable[..., Any], request: Request, **kwargs: Any) -> Any:
    """What `handler` answers, or has answered before. Raises UsedOtherwise, and Conflict while it is not known yet."""
    sent = _Sent(request)
    owner = f"key {request.auth.pk}" if request.auth else f"operator {request.user.pk}"
    row, is_ours = _begin(owner, _name(request), view.idempotency.is_one_transaction)
    if not is_ours:
        if row.status is None:
            raise _unfinished(view, row)
        if row.request != sent.digest():
            raise UsedOtherwise(_("Use a new Idempotency-Key for every new request, and the same one for a retry."))
        return _replayed(row)
    turn = IdempotentRequest.objects.filter(pk=row.pk, started_at=row.started_at, status=None)
    try:
        if view.idempotency.is_one_transaction:
            return _in_one_transaction(view, handler, request, kwargs, lambda answer: _finish(turn, sent, answer, view))
        response = handler(request, **kwargs)
    except Exception as error:
        # Nothing was done, so it is of no matter that the answer is kept later.
        try:
            response = view.handle_exception(error)
        except Exception:
            turn.delete()
            raise
    _finish(turn, sent, response, view)
    return response


def _in_one_transaction(
    view: Any, handler: Callable[..., Any], request: Request, kwargs: Any, finish: Callable[[Any], None]
) -> Any:
    try:
        with journal.recording(view.caller):
            response = handler(request, **kwargs)
            finish(response)
    except (IntegrityError, ObjectDoesNotExist) as error:
        raise Conflict(_("Conflicts with a simultaneous change. Try again.")) from error
    return response


def _name(request: Request) -> str:
    name: str = request.headers["Idempotency-Key"]
    if not 1 <= len(name) <= 255 or not name.isascii() or not name.isprintable():
        raise wrong("Idempotency-Key", "not_a_key", _("Must have 1 to 255 printable ASCII characters."))
    return name


def _begin(owner: str, name: str, is_one_transaction: bool) -> tuple[IdempotentRequest, bool]:
    """The row of a request, and whether it is for us to answer it."""
    now = timezone.now()
    IdempotentRequest.objects.filter(started_at__lt=now - KEPT_FOR).delete()
    row, is_ours = IdempotentRequest.objects.get_or_create(owner=owner, name=name)
    if row.status is None and is_one_transaction and row.started_at < now - LONGEST:
        # Whoever began is gone and has written nothing; were it still there, it could not commit any more.
        is_ours = bool(
            IdempotentRequest.objects.filter(pk=row.pk, started_at=row.started_at, status=None).update(started_at=now)
        )
        row.started_at = now
    return row, is_ours


class _Sent:
    """The request, digested while whoever it is reads its body."""

    def __init__(self, request: Request) -> None:
        self._request = cast(Any, request._request)
        self._stream: Any
        self._digest = hashlib.blake2b(f"{request.method} {self._request.get_full_path()}\n".encode(), digest_size=32)
        if hasattr(self._request, "_body"):
            self._digest.update(self._request.body)
            self._stream = None
        elif self._request._read_started:
            # Gone, and like no other.
            self._digest.update(secrets.token_bytes())
            self._stream = None
        else:
            self._stream, self._request._stream = self._request._stream, self

    def read(self, *size: int) -> bytes:
        return self._noted(self._stream.read(*size))

    def readline(self, *size: int) -> bytes:
        return self._noted(self._stream.readline(*size))

    def close(self) -> None:
        self._stream.close()

    def _noted(self, part: bytes) -> bytes:
        self._digest.update(part)
        return part

    def digest(self) -> str:
        """Of all of it, read or not."""
        while self._stream is not None and self.read(65_536):
            pass
        return self._digest.hexdigest()


def _finish(turn: models.QuerySet[IdempotentRequest], sent: _Sent, response: Any, view: Any) -> None:
    """Keep an answer, or forget that there was a request."""
    if response.streaming or response.status_code in _NOT_KEPT or response.status_code >= 500:
        turn.delete()
        return
    is_data = isinstance(response, Response)
    body = JSONRenderer().render(response.data) if is_data else response.content
    headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
    if body:
        headers["Content-Type"] = CONTENT_TYPE if is_data else response.headers["Content-Type"]
    is_kept = view.idempotency.keeps_answers and len(body) <= LARGEST
    if not turn.update(
        request=sent.digest(),
        status=response.status_code,
        headers=headers,
        body=zlib.compress(body, 1) if is_kept else None,
    ):
        raise Conflict(_("This request took too long. Its retry was processed instead."))


def _replayed(row: IdempotentRequest) -> HttpResponse:
    if row.body is None:
        raise Conflict(
            _("Already processed, with status %d. The response was not kept: read the current state.") % row.status
        )
    response = HttpResponse(zlib.decompress(bytes(row.body)), status=row.status, headers=row.headers)
    if "Content-Type" not in row.headers:
        del response.headers["Content-Type"]
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _unfinished(view: Any, row: IdempotentRequest) -> Conflict:
    if timezone.now() - row.started_at < LONGEST:
        view.headers["Retry-After"] = "1"
        return Conflict(_("A request with this Idempotency-Key is still being processed. Retry later."))
    return Conflict(
        _("A request with this Idempotency-Key was interrupted. Check whether it took effect, then use a new key.")
    )


register_answer_store(once)
