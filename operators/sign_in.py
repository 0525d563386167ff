"""Signing in by password: who asks from where, and the lock after too many failures.

Attempts are counted for the address that was typed and for the client that typed it, and an address that nobody has
is counted, locked and answered as any other.
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from config.middleware import current_request_id
from hierarchy import journal, services
from hierarchy.scoping import Caller, Scope
from hierarchy.text import comparison_key
from operators import attempts
from operators.models import Operator

# Behind one client address there may be a whole office.
_PEOPLE_AT_A_CLIENT = 5
_EMAIL, _CLIENT = "sign-in as", "sign-in from"


@dataclass(frozen=True, slots=True)
class Locked:
    """Nobody may try before `until`: with this address, or, when `is_client`, from this client."""

    until: datetime.datetime
    is_client: bool

    @property
    def minutes(self) -> int:
        return minutes_until(self.until)


def minutes_until(moment: datetime.datetime) -> int:
    """In whole minutes, the one that has begun included."""
    return max(-((timezone.now() - moment) // datetime.timedelta(minutes=1)), 1)


def begin(client: str, email: str) -> Locked | None:
    """Count an attempt to sign in; why it may not be made, or None."""
    until = attempts.take(_CLIENT, client, settings.SIGN_IN_FAILURES * _PEOPLE_AT_A_CLIENT)
    if until is not None:
        return Locked(until, is_client=True)
    until = attempts.take(_EMAIL, comparison_key(email), settings.SIGN_IN_FAILURES)
    return None if until is None else Locked(until, is_client=False)


def succeeded(client: str, email: str) -> None:
    """Whoever knows the password made no guesses; others at the same client may have."""
    attempts.forget(_EMAIL, comparison_key(email))
    attempts.give_back(_CLIENT, client)


def failed(client: str, email: str) -> None:
    """Note in the journal when this was one failure too many for an operator."""
    key = comparison_key(email)
    until = attempts.spent(_EMAIL, [key], settings.SIGN_IN_FAILURES).get(key)
    operator = Operator.objects.filter(email_key=key).first()
    if until is not None and operator is not None:
        scope = Scope(customer_id=operator.customer_id)
        caller = Caller(scope, f"sign-in from {client}", journal.SYSTEM, current_request_id())
        _note(caller, operator, None, until)


def locks(operators: Iterable[Operator]) -> dict[int, datetime.datetime]:
    """Until when each of them is locked who is. One statement."""
    by_key = {operator.email_key: operator.pk for operator in operators}
    found = attempts.spent(_EMAIL, by_key, settings.SIGN_IN_FAILURES)
    return {by_key[key]: until for key, until in found.items()}


def unlock(caller: Caller, operator: Operator) -> None:
    """Forget the failures of an operator. Raises NotPermitted for who may not change that one."""
    services.check_write(caller.scope, operator, operator)
    forgive(caller, operator)


def forgive(caller: Caller, operator: Operator) -> None:
    with journal.recording(caller):
        until = locks([operator]).get(operator.pk)
        attempts.forget(_EMAIL, operator.email_key)
        if until is not None:
            _note(caller, operator, until, None)


def client_of(request: HttpRequest) -> str:
    """The address from which a request comes; of IPv6 the network, of which a client has all addresses.

    What `X-Forwarded-For` says is believed as far as `settings.TRUSTED_PROXIES` wrote it, from its end: anybody can
    send one. A name that is no address is that of a socket on this machine, which only a proxy here can reach.
    """
    hops = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    client = _address(request.META.get("REMOTE_ADDR", ""))
    while hops and (client is None or any(client in network for network in settings.TRUSTED_PROXIES)):
        before = _address(hops.pop()) if settings.TRUSTED_PROXIES else None
        if before is None:
            break
        client = before
    if isinstance(client, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((client, 64), strict=False))
    return str(client or "")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _note(caller: Caller, operator: Operator, old: datetime.datetime | None, new: datetime.datetime | None) -> None:
    with journal.recording(caller) as recorder:
        recorder.entries.append(
            journal.Entry(
                customer_id=operator.customer_id,
                action=journal.CHANGED,
                object_type=str(Operator._meta.model_name),
                object_id=operator.pk,
                natural_key=operator.natural_key_text,
                fields={"locked_until": [_second(old), _second(new)]},
                site_path=operator.site_path(recorder, operator.home_site_id),
            )
        )


def _second(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
