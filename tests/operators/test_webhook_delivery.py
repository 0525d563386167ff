"""Sending one request to somebody else's address: where it may go, for how long, and what is made of the answer."""

import ipaddress
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from operators.webhooks import delivery

BODY = b'{"type":"webhook.test"}'
HEADERS = {"webhook-id": "msg_1"}


@pytest.fixture
def loopback(settings):
    settings.WEBHOOK_PRIVATE_NETWORKS = [ipaddress.ip_network("127.0.0.0/8")]


@contextmanager
def receiver(*pieces, wait=0.0, until=BODY):
    """A server for one request, which it yields as bytes when it has come. It sends `pieces` with pauses between."""
    listener = socket.create_server(("127.0.0.1", 0))
    received = []

    def answer():
        connection, _address = listener.accept()
        with connection:
            request = b""
            while until not in request:
                request += connection.recv(65_536)
            received.append(request)
            try:
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(wait)
            except OSError:
                # The sender has gone away.
                return

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/hooks?a=1", received
    listener.close()
    thread.join(5)


def test_a_request_as_it_arrives(loopback):
    with receiver(b"HTTP/1.1 204 No Content\r\n\r\n") as (url, received):
        answer = delivery.post(url, HEADERS, BODY)
    assert answer == delivery.DeliveryAnswer(204) and answer.is_ok
    head, _blank, body = received[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /hooks?a=1 HTTP/1.1"
    assert f"Host: {url.split('/')[2]}" in lines
    assert "webhook-id: msg_1" in lines and f"Content-Length: {len(BODY)}" in lines
    assert body == BODY


@pytest.mark.parametrize(
    ("answered", "status", "failure"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", 302, "redirect"),
        (b"HTTP/1.1 410 Gone\r\n\r\n", 410, "Answered 410"),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\nno", 500, "Answered 500"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", None, "not HTTP"),
        (b"", None, "closed the connection"),
    ],
)
def test_what_is_made_of_an_answer(loopback, answered, status, failure):
    with receiver(answered) as (url, _received):
        answer = delivery.post(url, HEADERS, BODY)
    assert answer.status == status and not answer.is_ok
    assert failure in answer.failure


def test_how_long_the_receiver_wants_to_be_left_alone(loopback):
    for header, low, high in (
        ("120", 120, 120),
        ("Wed, 21 Oct 2037 07:28:00 GMT", 10**7, 10**10),
        ("soon", None, None),
    ):
        with receiver(f"HTTP/1.1 503 Busy\r\nRetry-After: {header}\r\n\r\n".encode()) as (url, _received):
            seconds = delivery.post(url, HEADERS, BODY).retry_after_s
        assert seconds is None if low is None else low <= seconds <= high


def test_nobody_draws_it_out(loopback):
    """Head or body, a byte now and then: all together must come in time. What came after the status is let be."""
    started = time.monotonic()
    with receiver(*([b"HTTP/1.1 200 OK\r\n"] + [b"X: 1\r\n"] * 20), wait=0.05) as (url, _received):
        answer = delivery.post(url, HEADERS, BODY, patience_s=0.2)
    assert (answer.status, answer.failure[:9]) == (None, "No answer")
    with receiver(b"HTTP/1.1 200 OK\r\n\r\n", *([b"."] * 20), wait=0.05) as (url, _received):
        assert delivery.post(url, HEADERS, BODY, patience_s=0.2).is_ok
    with receiver(b"HTTP/1.1 200 OK\r\n\r\n", b"." * 10**6) as (url, _received):
        assert delivery.post(url, HEADERS, BODY).is_ok
    assert time.monotonic() - started < 3


PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.169.254",
    "172.31.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "::ffff:127.0.0.1",
    "::8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1", "64:ff9b::808:808"]


def test_public_addresses():
    assert [address for address in PRIVATE if delivery.is_public(address)] == []
    assert [address for address in PUBLIC if not delivery.is_public(address)] == []


@pytest.fixture
def names(monkeypatch):
    """A name server whose next answers are popped from a list, and a network that nobody answers in."""
    answers, connected = [], []

    def getaddrinfo(host, port, **kwargs):
        addresses = answers.pop(0)
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in addresses
        ]

    def connect(self, place):
        connected.append(place)
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", connect)
    return answers, connected


def test_nothing_is_sent_to_private_addresses(names, settings):
    answers, connected = names
    for address in (*PRIVATE, "fe80::1%eth0"):
        answers.append([address])
        answer = delivery.post("https://inside.example/hooks", HEADERS, BODY)
        assert answer.failure == "The host has no public address."
    answers.append(["8.8.8.8"])
    assert "Use https://" in delivery.post("http://outside.example/hooks", HEADERS, BODY).failure
    assert connected == []
    # Allowed are the networks of the settings, and no other.
    settings.WEBHOOK_PRIVATE_NETWORKS = [ipaddress.ip_network("10.1.0.0/16")]
    answers.append(["10.2.0.1", "10.1.2.3"])
    assert "refused" in delivery.post("http://inside.example:8080/hooks", HEADERS, BODY).failure
    assert connected == [("10.1.2.3", 8080)]


def test_the_name_is_looked_up_once(names):
    """A name server that says something else a moment later leads nowhere else."""
    answers, connected = names
    answers += [["93.184.216.34"], ["127.0.0.1"]]
    answer = delivery.post("https://rebinding.example/hooks", HEADERS, BODY)
    assert answer.failure == "No connection: Connection refused."
    assert connected == [("93.184.216.34", 443)] and answers == [["127.0.0.1"]]


def test_an_unknown_name_and_a_server_without_tls(loopback, monkeypatch):
    with receiver(b"220 mail.example ESMTP\r\n", until=b"") as (url, _received):
        answer = delivery.post(url.replace("http:", "https:"), HEADERS, BODY)
    assert answer.status is None and answer.failure.startswith("No secure connection")

    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert delivery.post("https://nowhere.example/", HEADERS, BODY).failure == "Unknown host name."


def test_the_certificate_is_checked_for_the_name(loopback, monkeypatch):
    """Of the name, though the connection is made to an address."""
    asked = []

    class Context:
        def wrap_socket(self, connection, server_hostname):
            asked.append(server_hostname)
            return connection

    assert delivery._tls().check_hostname
    monkeypatch.setattr(delivery, "_tls", Context)
    found = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *args, **kwargs: found("127.0.0.1", *args, **kwargs))
    with receiver(b"HTTP/1.1 200 OK\r\n\r\n") as (url, received):
        assert delivery.post(url.replace("http://127.0.0.1", "https://hooks.example"), HEADERS, BODY).is_ok
    assert asked == ["hooks.example"]
    assert b"Host: hooks.example:" in received[0]
