"""Sending one HTTP request to an address that somebody else chose: only where it may go, and only for so long.

The name is looked up once, and the connection is made to the very address that was checked: an answer of the name
server that changes in between changes nothing. Redirects are not followed, and proxies of the environment not used.
"""

from __future__ import annotations

import contextlib
import email.utils
import functools
import http.client
import io
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

# For everything until the last byte of the answer. Only the look-up of a name, which ends by itself, may take longer.
PATIENCE_S = 15.0
_LONGEST_ANSWER = 65_536
_CHUNK = 16_384
_MOST_ADDRESSES = 4

_UNICAST_6 = ipaddress.ip_network("2000::/3")
# Within it: protocol assignments with Teredo, 6to4, and what stands in documentation. Their IPv4 part may be anywhere.
_SPECIAL_6 = [ipaddress.ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]
# How networks without IPv4 reach it: the last 32 bits are the IPv4 address.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# What is not of the public internet although some versions of Python call it global.
_SPECIAL_4 = [ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4")]


class NotAllowed(Exception):
    """The address leads where nothing is sent to; the text says why, in one sentence."""


@dataclass(frozen=True, slots=True)
class DeliveryAnswer:
    """What came of a request: a status, or None and `failure` when there was no answer.

    `retry_after_s` is how long the receiver asked to be left alone.
    """

    status: int | None
    failure: str = ""
    retry_after_s: float | None = None

    @property
    def is_ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(url: str, headers: Mapping[str, str], body: bytes, patience_s: float = PATIENCE_S) -> DeliveryAnswer:
    """Send `body` and read the answer's status. Never raises for what the receiver or the network does."""
    deadline = time.monotonic() + patience_s
    try:
        return _post(url, headers, body, deadline)
    except NotAllowed as refusal:
        return DeliveryAnswer(None, str(refusal))
    except TimeoutError:
        return DeliveryAnswer(None, _("No answer within %d seconds.") % patience_s)
    except socket.gaierror:
        return DeliveryAnswer(None, _("Unknown host name."))
    except ssl.SSLError as error:
        return DeliveryAnswer(None, _("No secure connection: %s.") % (error.reason or "TLS"))
    except ConnectionResetError:
        return DeliveryAnswer(None, _("The receiver closed the connection."))
    except OSError as error:
        return DeliveryAnswer(None, _("No connection: %s.") % (error.strerror or type(error).__name__))
    except (http.client.HTTPException, ValueError):
        return DeliveryAnswer(None, _("The response is not HTTP."))


def check_literal(url: str) -> None:
    """Raise NotAllowed for a host that is an address, however it is written, to which nothing is sent.

    Names pass: where they lead is seen with each connection.
    """
    with contextlib.suppress(socket.gaierror, ValueError):
        parts = urlsplit(url)
        _places(parts.hostname or "", None, parts.scheme == "https", socket.AI_NUMERICHOST)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip not in _NAT64:
            return ip in _UNICAST_6 and not any(ip in network for network in _SPECIAL_6)
        ip = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.is_global and not any(ip in network for network in _SPECIAL_4)


def _post(url: str, headers: Mapping[str, str], body: bytes, deadline: float) -> DeliveryAnswer:
    parts = urlsplit(url)
    is_secure = parts.scheme == "https"
    host = parts.hostname or ""
    connection = _connect(host, parts.port or (443 if is_secure else 80), is_secure, deadline)
    try:
        if is_secure:
            connection.settimeout(_left(deadline))
            connection = _tls().wrap_socket(connection, server_hostname=host)
        request = http.client.HTTPConnection(host, connection.getpeername()[1])
        request.sock = _Timed(connection, deadline)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        request.request("POST", target, body, {"Host": parts.netloc, "Connection": "close", **headers})
        response = request.getresponse()
        answer = _answer(response)
        _drain(response)
        return answer
    finally:
        connection.close()


def _connect(host: str, port: int, is_secure: bool, deadline: float) -> socket.socket:
    """A connection to the first address of `host` that is allowed and answers."""
    failure: OSError | None = None
    for family, kind, protocol, _name, place in _places(host, port, is_secure)[:_MOST_ADDRESSES]:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(_left(deadline))
            connection.connect(place)
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    assert failure is not None
    raise failure


def _places(host: str, port: int | None, is_secure: bool, flags: int = 0) -> list[Any]:
    """The addresses of `host` that are allowed, as `getaddrinfo` has them; raises NotAllowed when none is."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    allowed = [one for one in found if _is_allowed(str(one[4][0]), is_secure)]
    if allowed:
        return allowed
    if is_secure:
        raise NotAllowed(_("The host has no public address."))
    raise NotAllowed(_("Use https://: plain http:// is allowed only for the private networks in the settings."))


def _is_allowed(address: str, is_secure: bool) -> bool:
    """Public addresses with TLS; those that the settings allow, with or without it."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        # An address of one interface alone, such as fe80::1%eth0.
        return False
    is_private = any(ip in network for network in settings.WEBHOOK_PRIVATE_NETWORKS)
    return is_private or (is_secure and is_public(address))


@functools.cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _answer(response: http.client.HTTPResponse) -> DeliveryAnswer:
    if 200 <= response.status < 300:
        return DeliveryAnswer(response.status)
    if 300 <= response.status < 400:
        failure = _("Answered %d, a redirect, which is not followed. Use the URL it leads to.")
    else:
        failure = _("Answered %d.")
    return DeliveryAnswer(response.status, failure % response.status, _seconds(response.headers.get("Retry-After", "")))


def _seconds(text: str) -> float | None:
    """How long a Retry-After header asks to wait: a number of seconds, or a moment."""
    if text.isascii() and text.isdigit() and len(text) < 9:
        return float(text)
    try:
        return max(0.0, (email.utils.parsedate_to_datetime(text) - timezone.now()).total_seconds())
    except (TypeError, ValueError, OverflowError):
        return None


def _drain(response: http.client.HTTPResponse) -> None:
    """Let the receiver finish, within bounds. The answer was given with its status, whatever becomes of the rest."""
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        response.read(_LONGEST_ANSWER)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Timed(io.RawIOBase):
    """What `http.client` needs of a socket. Time runs over all reads and writes, so that none can be drawn out."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def sendall(self, data: Any) -> None:
        view = memoryview(data)
        for begin in range(0, len(view), _CHUNK):
            self._connection.settimeout(_left(self._deadline))
            self._connection.sendall(view[begin : begin + _CHUNK])

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def close(self) -> None:
        """Closing is left to who opened the connection: `http.client` closes before it has read the answer."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connection.settimeout(_left(self._deadline))
        return self._connection.recv_into(buffer)
