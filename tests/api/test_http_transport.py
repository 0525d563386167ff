"""What all answers share beneath their contents: packed or not, how many may be asked for, and from which pages."""

import gzip
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from api import throttling
from api.compression import LEAST, accepts_gzip
from api.throttling import Buckets
from chargers.models import Charger
from tests.client import Api, assert_problem
from tests.conftest import made
from tests.openapi import resolved

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("br, *", True),
        ("*;q=0, gzip", True),
        ("deflate, gzip;q=1.0", True),
        ("", False),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        (";;,=,gzip2", False),
    ],
)
def test_who_accepts_gzip(header, accepted):
    assert accepts_gzip(header) is accepted


def test_large_answers_are_packed_and_small_ones_are_not(world):
    api = Api(world.ada)
    for path in ("/sites/tree", "/operators/tree", "/chargers", "/exports?format=json"):
        plain = api.request("get", path)
        packed = api.client.get(f"/api/v1{path}", headers=api.headers | {"Accept-Encoding": "gzip, br"})
        content = packed.getvalue()
        assert len(plain.body) >= LEAST, path
        assert packed.headers["Content-Encoding"] == "gzip" and "Content-Encoding" not in plain.headers
        assert gzip.decompress(content) == plain.body
        assert len(content) < len(plain.body)
        assert packed.headers.get("ETag") == plain.headers.get("ETag")
        assert packed.headers.get("Content-Length", str(len(content))) == str(len(content))
        for response in (plain, packed):
            assert "Accept-Encoding" in response.headers["Vary"]
    for path in ("/drivers/0", "/me", "/sites/tree?excludeDetails=true"):
        small = api.get(path, accept_encoding="gzip")
        assert len(small.body) < LEAST, path
        assert "Content-Encoding" not in small.headers and "Accept-Encoding" in small.headers["Vary"]


def test_the_bytes_of_a_strong_tag_are_left_alone(world):
    world.quay_1.custom_properties = {f"name {number}": "value" * 20 for number in range(20)}
    world.quay_1.save()
    response = Api(world.ada).get("/chargers/QUAY-1", accept_encoding="gzip")
    assert len(response.body) >= LEAST and response.headers["ETag"].startswith('"')
    assert "Content-Encoding" not in response.headers
    tag = response.headers["ETag"]
    changed = Api(world.ada).request("patch", "/chargers/QUAY-1", b'{"chargerName": "Q"}', if_match=tag)
    assert changed.status_code == 200


def test_only_the_api_is_packed(world, client):
    assert "Content-Encoding" not in client.get("/admin/login/", headers={"Accept-Encoding": "gzip"}).headers
    response = client.get("/api/schema", headers={"Accept-Encoding": "gzip"})
    schema = json.loads(gzip.decompress(response.content))
    assert_headers_are_described(schema)


def assert_headers_are_described(schema):
    described = schema["components"]["headers"]
    tree, drivers = schema["paths"]["/api/v1/sites/tree"]["get"], schema["paths"]["/api/v1/drivers"]["post"]
    assert "If-None-Match" in [resolved(schema, one)["name"] for one in tree["parameters"]]
    assert {"ETag", "X-Request-ID", "RateLimit"} <= set(tree["responses"]["200"]["headers"])
    unchanged = resolved(schema, tree["responses"]["304"])
    assert "ETag" in unchanged["headers"] and "content" not in unchanged
    assert "Idempotency-Key" in [resolved(schema, one)["name"] for one in drivers["parameters"]]
    assert "Idempotency-Replayed" in drivers["responses"]["201"]["headers"]
    for status in ("409", "422", "429"):
        assert resolved(schema, drivers["responses"][status])["content"]["application/problem+json"]
    for status in ("409", "429"):
        assert "Retry-After" in resolved(schema, drivers["responses"][status])["headers"]
    for operations in schema["paths"].values():
        for operation in operations.values():
            for answer in (resolved(schema, one) for one in operation["responses"].values()):
                references = [one["$ref"] for one in answer["headers"].values() if "$ref" in one]
                assert "#/components/headers/X-Request-ID" in references
                assert {reference.rpartition("/")[2] for reference in references} <= set(described)


def test_a_stream_is_packed_as_it_comes(world):
    """More than a block, so that several parts are packed into one stream, the first before the last was made."""
    for site in (world.harbour, world.garage, world.west, world.airport):
        properties = {f"name {place}": os.urandom(1000).hex() for place in range(40)}
        made(Charger, site=site, charger_id=f"RANDOM-{site.pk}", custom_properties=properties)
    api = Api(world.ada)
    response = api.client.get("/api/v1/sites/tree", headers=api.headers | {"Accept-Encoding": "gzip"})
    assert response.streaming
    parts = list(response.streaming_content)
    assert len(parts) > 2
    unpacker = zlib.decompressobj(wbits=31)
    assert unpacker.decompress(b"".join(parts[:-1]))
    assert gzip.decompress(b"".join(parts)) == api.get("/sites/tree").body


def test_a_bucket_fills_again():
    now = [1000.0]
    buckets = Buckets(lambda: now[0])
    first = [buckets.take("one", 3) for _ in range(5)]
    assert [taken.is_allowed for taken in first] == [True, True, True, False, False]
    assert [taken.remaining for taken in first] == [2, 1, 0, 0, 0]
    assert [round(taken.full_in) for taken in first] == [20, 40, 60, 60, 60]
    assert round(first[-1].wait) == 20
    assert buckets.take("another", 3).is_allowed
    now[0] += 19
    assert not buckets.take("one", 3).is_allowed
    now[0] += 1
    assert buckets.take("one", 3).is_allowed
    assert not buckets.take("one", 3).is_allowed
    now[0] += 1000
    assert buckets.take("one", 3).remaining == 2, "It holds no more than one minute's."


def test_who_has_not_come_for_a_while_is_forgotten(monkeypatch):
    monkeypatch.setattr(throttling, "_MOST_BUCKETS", 10)
    now = [0.0]
    buckets = Buckets(lambda: now[0])
    for who in range(10):
        buckets.take(who, 60)
    now[0] = 10
    buckets.take("new", 60)
    assert list(buckets._full_at) == ["new"]


def test_a_key_that_asks_too_often_waits(world, settings, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(throttling, "buckets", Buckets(lambda: now[0]))
    api = Api(world.ada)
    assert "RateLimit" not in api.get("/me").headers
    settings.API_REQUESTS_PER_MINUTE = 2
    limits = []
    for path in ("/me", "/drivers/0"):
        response = api.get(path)
        assert response.headers["RateLimit-Policy"] == '"requests";q=2;w=60'
        limits.append(response.headers["RateLimit"])
    assert limits == ['"requests";r=1;t=30', '"requests";r=0;t=60']
    refused = api.get("/me")
    assert_problem(refused, 429, "Too many requests")
    assert (refused.headers["Retry-After"], refused.headers["RateLimit"]) == ("30", '"requests";r=0;t=60')
    assert "2 requests a minute" in refused.data["detail"] and "30 seconds" in refused.data["detail"]
    assert Api(world.ada).get("/me").status_code == 200, "Another key of the same operator counts for itself."
    assert Api().get("/me").status_code == 401
    now[0] += 30
    assert api.get("/me").status_code == 200


ORIGIN = "https://app.example.org"


def test_pages_of_other_origins(world, settings):
    api = Api(world.ada)
    preflight = {"origin": ORIGIN, "access_control_request_method": "PATCH"}
    assert "Access-Control-Allow-Origin" not in api.get("/me", origin=ORIGIN).headers
    assert "Origin" not in api.get("/me", origin=ORIGIN).headers["Vary"]
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]

    asked = Api().request("options", "/sites/7", **preflight)
    assert (asked.status_code, asked.body) == (204, b"")
    assert asked.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "PATCH" in asked.headers["Access-Control-Allow-Methods"]
    for header in ("X-API-Key", "If-Match", "Idempotency-Key"):
        assert header in asked.headers["Access-Control-Allow-Headers"]
    for path in ("/me", "/drivers/0", "/nothing"):
        answered = api.get(path, origin=ORIGIN)
        assert answered.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "ETag" in answered.headers["Access-Control-Expose-Headers"]
        assert "Origin" in answered.headers["Vary"]
        assert "Access-Control-Allow-Credentials" not in answered.headers
    for other in ("https://app.example.org.evil.example", "null", "*", ""):
        answered = api.get("/me", origin=other)
        assert "Access-Control-Allow-Origin" not in answered.headers and "Origin" in answered.headers["Vary"]
        refused = Api().request("options", "/me", **(preflight | {"origin": other}))
        assert refused.status_code == 401 and "Access-Control-Allow-Origin" not in refused.headers
    assert "Access-Control-Allow-Origin" not in api.client.get("/healthz", headers={"Origin": ORIGIN}).headers


def test_every_address_says_what_it_can(world):
    api = Api(world.ada)
    for path in ("/sites/tree", "/drivers", f"/drivers/{world.dora.pk}", "/status-reports", "/access", "/imports"):
        options = api.request("options", path)
        assert options.status_code == 200
        allowed = options.headers["Allow"].split(", ")
        assert "OPTIONS" in allowed and ("HEAD" in allowed) == ("GET" in allowed)
        assert api.request("put", path, b"{}").headers["Allow"].split(", ") == allowed


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CORS_ALLOWED_ORIGINS", "https://app.example.org/"),
        ("CORS_ALLOWED_ORIGINS", "*"),
        ("API_REQUESTS_PER_MINUTE", "-1"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(name, value):
    code = "import tests.settings"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {name: value}, capture_output=True)
    assert done.returncode and name.encode() in done.stderr and value.encode() in done.stderr
