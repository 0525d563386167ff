"""The request id: taken from `X-Request-ID` when it is harmless, made otherwise, and sent back on every answer."""

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

_ACCEPTED = re.compile(r"[A-Za-z0-9._\-]{1,64}")
_current: ContextVar[str] = ContextVar("request_id", default="")
_is_answering: ContextVar[bool] = ContextVar("is_answering", default=False)


def current_request_id() -> str:
    """The id of the request that this thread answers; empty outside of a request."""
    return _current.get()


def is_in_request() -> bool:
    """Whether this thread is answering a request, its body that is streamed later apart."""
    return _is_answering.get()


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if _ACCEPTED.fullmatch(offered) else uuid.uuid4().hex
        # Not taken back at the end: what is logged about the answer comes after it.
        _current.set(request_id)
        token = _is_answering.set(True)
        try:
            response = self.get_response(request)
        finally:
            _is_answering.reset(token)
        response.headers["X-Request-ID"] = request_id
        return response


class RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = current_request_id() or "-"
        return True
