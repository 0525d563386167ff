"""How many requests a key may send: a token bucket for each, in the memory of this process.

Every worker process counts for itself. A counter that all of them share would be a write to the database for every
read, and on SQLite all of them would stand in one line; the limit is there to keep one client from taking a server
from the others, not to be billed by.
"""

import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import ngettext
from rest_framework import status
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from api.errors import Problem

WINDOW = 60
# With more keys than these, those are forgotten who have not come for a while.
_MOST_BUCKETS = 10_000
# The part of a request that calculating may lose.
_ROUNDING = 1e-3


class TooManyRequests(Problem):
    status = status.HTTP_429_TOO_MANY_REQUESTS
    code = "too-many-requests"
    title = "Too many requests"


class Taken(NamedTuple):
    """What became of a request: whether it may come in, how many more may, and the seconds until one, and all, may."""

    is_allowed: bool
    remaining: int
    wait: float
    full_in: float


class Buckets:
    """A bucket for each asker, kept as the moment at which it is full again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_at: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def take(self, who: Hashable, quota: int) -> Taken:
        """Take one of `quota` requests, which come back evenly within a window."""
        each = WINDOW / quota
        with self._lock:
            now = self._clock()
            full_in = max(self._full_at.get(who, now) - now, 0.0)
            is_allowed = full_in + each <= WINDOW + each * _ROUNDING
            if is_allowed:
                full_in += each
                self._full_at[who] = now + full_in
                self._forget(now)
        remaining = max(math.floor((WINDOW - full_in) / each + _ROUNDING), 0)
        return Taken(is_allowed, remaining, max(full_in + each - WINDOW, 0.0), full_in)

    def _forget(self, now: float) -> None:
        if len(self._full_at) > _MOST_BUCKETS:
            self._full_at = {who: full_at for who, full_at in self._full_at.items() if full_at > now}


buckets = Buckets()


class RequestRate(BaseThrottle):
    """So many requests a minute of one key, or of one operator who is signed in.

    The headers are those of draft-ietf-httpapi-ratelimit-headers-10. `settings.API_REQUESTS_PER_MINUTE` 0 is no limit.
    """

    def allow_request(self, request: Request, view: Any) -> bool:
        quota: int = settings.API_REQUESTS_PER_MINUTE
        who = request.auth or request.user
        if not quota or who is None:
            return True
        taken = buckets.take((type(who), who.pk), quota)
        view.headers["RateLimit-Policy"] = f'"requests";q={quota};w={WINDOW}'
        view.headers["RateLimit"] = f'"requests";r={taken.remaining};t={math.ceil(taken.full_in)}'
        if not taken.is_allowed:
            wait = max(math.ceil(taken.wait), 1)
            view.headers["Retry-After"] = str(wait)
            raise TooManyRequests(
                ngettext(
                    "%(quota)d requests a minute may come, and more did: go on in %(wait)d second, and more slowly.",
                    "%(quota)d requests a minute may come, and more did: go on in %(wait)d seconds, and more slowly.",
                    wait,
                )
                % {"quota": quota, "wait": wait}
            )
        return True
