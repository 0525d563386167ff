"""Requests that nobody sends in good faith, or nobody in their right mind: each is answered with a problem of 4xx."""

import gzip
import json
import time

from django.core import signing

from hierarchy.models import Change
from tests.client import BAD_BODY, Api, assert_problem

BIG = "9" * 400
DEEP = 100_000
UTF_16 = '{"groupName": "x"}'.encode("utf-16")
FORM = b'--x\r\nContent-Disposition: form-data; name="groupName"\r\n\r\nx\r\n--x--\r\n'

# What is sent to POST /sites, where a name would do.
BODIES = {
    "nothing": b" ",
    "half an object": b'{"groupName": "x"',
    "no JSON": b"groupName=x",
    "more than one value": b'{"groupName": "x"} {}',
    "a comma too many": b'{"groupName": "x",}',
    "bytes that are no text": b'{"groupName": "\xff\xfe"}',
    "UTF-16": UTF_16,
    "a byte order mark": b"\xef\xbb\xbf" + b'{"groupName": "x"}',
    "packed": gzip.compress(b'{"groupName": "x"}'),
    "a lone surrogate": b'{"groupName": "\\ud800"}',
    "a lone surrogate in a key": b'{"groupName": "x", "\\udfff": 1}',
    "NUL": b'{"groupName": "a\\u0000b"}',
    "NUL in a key": b'{"groupName": "x", "a\\u0000b": 1}',
    "a line break": b'{"groupName": "a\\nb"}',
    "only space": '{"groupName": " \u00a0\u2003"}'.encode(),
    "a name that never ends": json.dumps({"groupName": "x" * 100_000}).encode(),
    "a key that never ends": json.dumps({"groupName": "x", "x" * 100_000: 1}).encode(),
    "thousands of keys": json.dumps({f"key{number}": number for number in range(5000)}).encode(),
    "brackets": b"[" * DEEP + b"]" * DEEP,
    "brackets without an end": b"[" * DEEP,
    "braces": b'{"groupName":' * DEEP + b"1" + b"}" * DEEP,
    "a hundred brackets": b"[" * 100 + b"]" * 100,
    "a number of 400 digits": f'{{"groupName": "x", "payerId": {BIG}}}'.encode(),
    "a number beyond 64 bits": b'{"groupName": "x", "payerId": 9223372036854775808}',
    "a number below 64 bits": b'{"groupName": "x", "parentId": -9223372036854775809}',
    "an id at the limit": b'{"groupName": "x", "parentId": -9223372036854775808}',
    "infinity": b'{"groupName": "x", "payerId": 1e999}',
    "Infinity": b'{"groupName": "x", "payerId": Infinity}',
    "NaN": b'{"groupName": "x", "payerId": NaN}',
    "a fraction": b'{"groupName": "x", "payerId": 1.0}',
    "true for a number": b'{"groupName": "x", "payerId": true}',
    "a number for a text": b'{"groupName": 7}',
    "a list for a text": b'{"groupName": ["x"]}',
    "an object for an id": b'{"groupName": "x", "parentId": {"id": 1}}',
    "null": b"null",
    "a number": b"7",
    "a text": b'"x"',
    "a list of null": b"[null]",
    "a list of lists": b"[[], [{}]]",
    "too many": json.dumps([{"groupName": f"x{number}"} for number in range(1001)]).encode(),
    "megabytes": json.dumps({"groupName": "x" * 3_000_000}).encode(),
    "__class__": b'{"groupName": "x", "__class__": "Site", "__proto__": {}}',
    "the column's name": b'{"name": "x", "customer_id": 2}',
    "somebody else's key": b'{"groupName": "x", "customer": 2}',
}

# Headers of the same request; the first value is the whole body's kind where it matters.
HEADERS = [
    {"content_type": "text/plain"},
    {"content_type": "application/x-www-form-urlencoded"},
    {"content_type": "multipart/form-data; boundary=x"},
    {"content_type": "application/jsonp"},
    {"content_type": "a/b/c; ="},
    {"content_type": "application/json" * 1000},
    {"accept": "image/png"},
    {"accept": "application/json;q=0"},
    {"accept": ";;,;q=,"},
    {"x_api_key": ""},
    {"x_api_key": "x" * 100_000},
    {"x_api_key": "ctk_ümlaut"},
    {"x_api_key": "ctk_\x00"},
    {"idempotency_key": "x" * 256},
    {"idempotency_key": "a\r\nb"},
    {"host": "evil example"},
    {"host": "[::1"},
]

# What is asked for with GET.
ADDRESSES = [
    "/sites/abc",
    "/sites/1.0",
    "/sites/+1",
    "/sites/%D9%A1",
    "/sites/%C2%B2",
    "/sites/%00",
    "/sites/%ff",
    "/sites/%0d%0aSet-Cookie:%20a=b",
    f"/sites/{BIG}",
    "/sites/-9223372036854775808",
    "/sites/9223372036854775808",
    "/sites//tree",
    "/sites/../../../admin/",
    "/sites/%2e%2e/%2e%2e/me",
    "/sites/tree/",
    "/sites/tree;x=1",
    "/SITES/TREE",
    "/chargers/%20",
    "/chargers/QUAY-1%00",
    "/chargers/" + "x" * 100_000,
    "/chargers/QUAY-1/sockets/0",
    "/chargers/QUAY-1/sockets/99999999999",
    "/chargers/QUAY-1/configurations/%2F%2F",
    "/chargers/QUAY-1/configurations/" + "/" * 5000,
    "/drivers/by-tag/%00",
    "/drivers/by-tag/%2F",
    "/drivers/by-tag/%ED%A0%80",
    "/drivers/by-external-id/%20",
    "/sites/by-external-id/" + "%F0%9F%94%8C" * 300,
    "/imports/1/steps?table=%00",
    "/imports/applied/x",
    "/sites?limit=0",
    "/sites?limit=-1",
    "/sites?limit=1e2",
    "/sites?limit=%C2%B2",
    "/sites?limit=%D9%A1",
    f"/sites?limit={BIG}",
    "/sites?limit=1&limit=2",
    "/sites?limit[]=1",
    "/sites?colour=red",
    "/sites?" + "&".join(f"p{number}=1" for number in range(2000)),
    "/chargers?" + "&".join(f"{'chargerName' * 5}{number}=1" for number in range(900)),
    "/sites?%00=1",
    "/sites?groupName=%00",
    "/sites?groupName=%ED%A0%80%0a",
    "/sites?groupName=" + "x" * 5000,
    "/sites?customer=2",
    "/sites?customer__id=2",
    "/sites?name__regex=(a%2B)%2B%24",
    "/sites?payerId=1.5",
    f"/sites?id={BIG}",
    "/sites?id__in=1,,2",
    "/sites?id__in=",
    "/sites?id__in=1&id__in=%00",
    "/sites?" + "&".join(["id__in=1"] * 2000),
    "/sites?siteTree=%EF%BC%91",
    f"/sites?siteTree={BIG}",
    "/sites?id=1%20OR%201=1",
    "/sites?groupType=ROUND",
    "/sites?ordering=",
    "/sites?ordering=-",
    "/sites?ordering=id,-id",
    "/sites?ordering=password",
    "/sites?ordering=parent__customer",
    "/sites?fields=",
    "/sites?fields=id,password",
    "/sites?site=1",
    "/sites?siteTree=0",
    "/sites?updatedSince=yesterday",
    "/sites?updatedSince=2026-06-01",
    "/sites?updatedSince=0001-01-01T00:00:00%2B23:59",
    "/sites?updatedSince=9999-12-31T23:59:59-23:59",
    "/sites?updatedSince=2026-13-01T00:00:00Z",
    "/sites?updatedSince=" + "1" * 100_000,
    "/sites?search=" + "x" * 300,
    "/sites?cursor=",
    "/sites?cursor=x",
    "/sites?cursor=%00",
    "/sites?cursor=" + "x" * 100_000,
    "/sites?cursor=" + signing.dumps(["pk", [1]], salt="other"),
    "/chargers?latitude__gte=NaN",
    "/chargers?latitude__gte=1e400",
    "/chargers?activeConnection=1",
    "/chargers?chargerStatus=Broken",
    "/changes?since=" + signing.dumps([1, 2], salt="other"),
    "/changes?since=%00",
    "/access?chargerId=%00&idTag=x",
    "/access?chargerId=QUAY-1",
    "/access?chargerId=QUAY-1&idTag=x&at=0001-01-01T00:00:00Z",
    "/access?chargerId=QUAY-1&idTag=" + "x" * 5000,
    "/exports?format=exe",
    "/exports?format=csv&table=../../etc/passwd",
    "/exports?site=x",
]

NO_METHODS = ["TRACE", "CONNECT", "QUERY", "PROPFIND", "FOO", "SCHEMA", "INITIAL", "GET " * 100]


TAGS = ["1", '"1', "*, *", 'W/"', '"\x00"', '"1"' * 1000, "x" * 100_000, '"é"x']


def requests(world):
    """Each as its name, method, address, body and headers."""
    for name, body in BODIES.items():
        yield name, "post", "/sites", body, {}
    for headers in HEADERS:
        yield headers, "post", "/sites", FORM if "boundary" in str(headers) else b'{"groupName": "x"}', headers
    for path in ("/imports", "/imports?pruneSite=/", "/imports?pruneSite=Harbour"):
        for garbage in (b"\x01", b"[[]]", b"PK\x03\x04", b"\x00" * 100_000):
            yield (path, garbage[:9]), "post", path, garbage, {"content_type": "application/octet-stream"}
    for method in ("post", "patch"):
        yield "no body", method, "/sites", b"", {}
    yield "a change in chunks", "patch", f"/sites/{world.east.pk}", b"", {"transfer_encoding": "chunked"}
    for address in ADDRESSES:
        yield address, "get", address, b"", {}
    for tags in TAGS:
        yield tags, "patch", f"/sites/{world.east.pk}", b'{"costName": "x"}', {"if_match": tags}


def objection(response):
    """Why an answer is not a complete problem of 4xx, within bounds, with nothing in it that acts; None if it is."""
    if not 400 <= response.status_code < 500:
        return response.status_code
    if len(response.body) > 120_000 or "Set-Cookie" in response.headers:
        return "too much"
    assert_problem(response, response.status_code, response.data["title"])
    return None


def test_all_are_refused(world):
    api = Api(world.ada)
    before = Change.objects.count()
    wrong, count = [], 0
    for name, method, address, body, headers in requests(world):
        response = api.request(method, address, body, **headers)
        count += 1
        if why := objection(response):
            wrong.append((str(name)[:100], why, response.body[:300]))
    assert not wrong, "\n".join(map(str, wrong))
    assert count > 150
    assert Change.objects.count() == before


def test_what_is_wrong_with_a_body_as_a_whole(world):
    api = Api(world.ada)
    site = f"/sites/{world.east.pk}"
    many = json.dumps({f"key{number}": 1 for number in range(50_000)}).encode()
    for method, path, body, headers, status, words in [
        ("post", "/sites", b"[" + b" " * 10_000_000 + b"]", {}, 413, "at most 10 MB"),
        ("patch", site, b"", {"transfer_encoding": "chunked"}, 411, "Chunked request bodies are not supported"),
        ("post", "/imports", b"", {"transfer_encoding": "chunked"}, 411, "Chunked request bodies are not supported"),
        ("post", "/imports", b"\x1f\x8b", {"content_encoding": "gzip"}, 415, "not supported (Content-Encoding: gzip)"),
        ("patch", site, b"", {}, 400, "No request body"),
        ("post", "/sites", b"\x1f\x8b", {"content_encoding": "gzip"}, 415, "not supported (Content-Encoding: gzip)"),
        ("patch", "/sites", b"[]", {"if_match": '"1"'}, 400, "at its own URL"),
        ("post", "/sites", b"null", {}, 400, "Must be an object."),
        ("post", "/sites", many, {}, 400, "/key0: Unknown key."),
        ("get", "/me", b"", {"host": "a b"}, 400, "The Host header"),
    ]:
        start = time.process_time()
        response = api.request(method, path, body, **headers)
        is_bad_body = status == 400 and body in (b"", b"null", many) and "host" not in headers
        assert (response.status_code, response.data["title"] == BAD_BODY) == (status, is_bad_body)
        assert words in response.data["detail"]
        assert time.process_time() - start < 2


def test_a_method_that_is_none_is_refused_whatever_comes_with_it(world):
    api = Api(world.ada)
    for path in ("/sites", f"/sites/{world.east.pk}", "/sites/tree", "/me", "/exports", "/status-reports", "/imports"):
        for method in NO_METHODS:
            address = f"/api/v1{path}?colour=red"
            response = api.client.generic(method, address, b"{", "application/json", headers=api.headers)
            assert response.status_code == 405, (method, path, response.content)
            assert {"GET", "POST"} & set(response.headers["Allow"].split(", "))
