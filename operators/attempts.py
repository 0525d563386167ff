"""How often somebody tried something lately: counted in the database, because several processes answer requests.

Who it was stands there as a digest: what is typed as an e-mail address may be a password in the wrong field.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
from collections.abc import Collection

from django.conf import settings
from django.db.models import Case, F, Value, When
from django.utils import timezone

from hierarchy import journal
from hierarchy.fields import TimestampField
from operators.models import Attempts

# So many rows that have had their time go with each new one: more than come in, and never a long wait.
_FORGOTTEN_AT_ONCE = 100


def take(what: str, who: str, quota: int) -> datetime.datetime | None:
    """Count one more attempt, before it is made, so that many at once are not too many.

    None when it may be made; the moment until which nobody may when `quota` attempts were made, which is a full
    window after the last of them. What is refused is not counted.
    """
    now = timezone.now()
    ends_at = now + window()
    rows = Attempts.objects.filter(pk=digest(what, who), ends_at__gt=now)
    with journal.recording(journal.PRODUCT):
        if not rows.exists():
            # First the own row that has had its time: in the way of the new one, it would leave attempts uncounted.
            Attempts.objects.filter(pk=digest(what, who), ends_at__lte=now).delete()
            _forget(now)
            Attempts.objects.bulk_create([Attempts(pk=digest(what, who), ends_at=ends_at)], ignore_conflicts=True)
        last = When(count__gte=quota - 1, then=Value(ends_at, TimestampField()))
        if rows.filter(count__lt=quota).update(count=F("count") + 1, ends_at=Case(last, default=F("ends_at"))):
            return None
        return rows.values_list("ends_at", flat=True).first()


def spent(what: str, people: Collection[str], quota: int) -> dict[str, datetime.datetime]:
    """Until when those of `people` may not try again who made `quota` attempts. One statement."""
    by_digest = {digest(what, who): who for who in people}
    rows = Attempts.objects.filter(pk__in=by_digest, count__gte=quota, ends_at__gt=timezone.now())
    return {by_digest[row.digest]: row.ends_at for row in rows}


def forget(what: str, who: str) -> None:
    """All attempts, as if there had been none."""
    Attempts.objects.filter(pk=digest(what, who)).delete()


def give_back(what: str, who: str) -> None:
    """One attempt that was none of those which are to be few."""
    Attempts.objects.filter(pk=digest(what, who), count__gt=0).update(count=F("count") - 1)


def digest(what: str, who: str) -> str:
    return hmac.new(settings.SECRET_KEY.encode(), f"{what} {who}".encode(), hashlib.sha256).hexdigest()


def window() -> datetime.timedelta:
    return datetime.timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES)


def _forget(now: datetime.datetime) -> None:
    old = Attempts.objects.filter(ends_at__lte=now).order_by("pk").select_for_update(skip_locked=True)
    Attempts.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:_FORGOTTEN_AT_ONCE])).delete()
