"""What browsers are told not to do, on every kind of answer; and that no page of ours needs what they are told."""

import re
from pathlib import Path

import pytest
from django.test import Client, override_settings

from chargers.models import Charger
from config.security_headers import content_security_policy
from hierarchy.models import Change, Site
from operators.models import ApiKey
from tests.backoffice.admin_pages import address
from tests.client import Api

ROOT = Path(__file__).resolve().parents[2]
# A script or style within a page, an attribute that is one, and an address that is one.
INLINE = re.compile(
    r"<script(?![^>]*\ssrc=)[^>]*>|<style\b|<[a-z][^>]*\s(?:style|on[a-z]+)\s*=|(?:href|src|action)=[\"']?\s*javascript:",
    re.IGNORECASE,
)


def assert_headers(answer):
    policy = answer["Content-Security-Policy"]
    directives = dict(part.split(" ", 1) for part in policy.split("; "))
    assert "unsafe" not in policy
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == directives["style-src"] == "'self'"
    assert directives["frame-ancestors"] == directives["base-uri"] == directives["object-src"] == "'none'"
    assert directives["form-action"] == "'self'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_every_kind_of_answer_has_them(client, world, monkeypatch):
    client.raise_request_exception = False
    client.force_login(world.ada)
    pages = ["/", "/admin/", "/admin/map.json", "/admin/jsi18n/", "/admin/export/?format=xlsx", "/nowhere", "/healthz"]
    pages += [address(Charger, "change", world.quay_1.pk), "/admin/chargers/charger/nowhere/", "/problems/conflict"]
    pages += ["/api/docs", "/api/schema", "/api/v1/nowhere", "/static/chargetree/tokens.css", "/static/nowhere"]
    for page in pages:
        answer = client.get(page)
        assert_headers(answer)
        # To its end, where its file is closed.
        assert answer.getvalue() is not None
    assert_headers(Client(enforce_csrf_checks=True).post("/admin/login/"))
    assert_headers(Api(world.ada).get("/sites"))
    assert_headers(client.get("/admin/", headers={"host": "\\"}))
    monkeypatch.setattr("api.problem_pages.PAGES", None)
    broken = client.get("/problems/conflict")
    assert broken.status_code == 500
    assert_headers(broken)


@pytest.mark.parametrize(
    ("url", "sources"),
    [
        ("", "'self' data:"),
        ("/tiles/{z}/{x}/{y}.png", "'self' data:"),
        ("https://tiles.example.org:8443/a/{z}/{x}/{y}.png?key=1", "'self' data: https://tiles.example.org:8443"),
        ("https://{s}.tile.example.org/{z}/{x}/{y}.png", "'self' data: https://*.tile.example.org"),
    ],
)
def test_images_come_from_the_tile_server_at_most(url, sources):
    with override_settings(MAP_TILE_URL=url):
        assert f"img-src {sources};" in content_security_policy()


def test_no_template_of_ours_needs_more():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()[:60]}"
        for path in (ROOT / "templates").rglob("*.html")
        for match in INLINE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, found


@pytest.mark.parametrize(
    "text",
    ["<script>", '<script type="module">', "<style>", '<p style="">', "<a\nonclick='x'>", '<a href="javascript:x">'],
)
def test_what_needs_more_is_found(text):
    assert INLINE.search(text)


def test_no_page_needs_more(client, world):
    """Django's own templates and widgets among them."""
    client.force_login(world.pat)
    pages = [address(model, "changelist") for model in (Charger, Change, ApiKey)]
    pages += ["/admin/", "/admin/password_change/", "/admin/export/", "/api/docs", address(Site, "tree")]
    pages += [address(Charger, page, world.quay_1.pk) for page in ("change", "delete", "history")]
    pages += [address(Charger, "add"), f"{address(Site, 'add')}?_popup=1", address(Site, "move", world.east.pk)]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        found = INLINE.findall(re.sub("<template.*?</template>", "", answer.content.decode(), flags=re.DOTALL))
        # JSON in a page is data.
        assert not [one for one in found if "application/json" not in one], page
