"""Every kind of page of the admin, held against WCAG 2.2 A and AA by axe-core, in both themes, from wide to narrow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from tests.browser.conftest import sign_in

# What is looked at in each look: everything once, then only what another theme or width can change.
EVERYTHING = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}
COLOURS = ["color-contrast", "link-in-text-block"]
SHAPES = ["target-size", "scrollable-region-focusable"]
LOOKS: list[tuple[str, int, dict[str, Any]]] = [
    ("light", 1280, EVERYTHING),
    ("dark", 1280, {"type": "rule", "values": COLOURS}),
    ("dark", 390, {"type": "rule", "values": COLOURS + SHAPES}),
    ("light", 320, {"type": "rule", "values": COLOURS + SHAPES}),
]

# Kinds of pages at which nobody who is signed in looks, or which are no pages.
LEFT_OUT = {"admin:logout", "admin:login", "docs", "schema"}


def kind_of(address: str) -> str | None:
    """The name of the view at an address of the admin; histories and deletions are the same for all models."""
    try:
        name = resolve(urlsplit(address).path).view_name
    except Resolver404:
        return None
    for same in ("history", "delete"):
        name = same if name.endswith(f"_{same}") else name
    return name if name and name not in LEFT_OUT else None


def pages(page: Page, start: str) -> Iterator[str]:
    """One page of each kind to which links lead from `start`, loaded."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        address = waiting.pop(0)
        kind = kind_of(address)
        if kind is None or kind in seen:
            continue
        seen.add(kind)
        response = page.goto(address)
        if response is None or "text/html" not in response.headers["content-type"]:
            continue
        yield kind
        links = page.eval_on_selector_all("a[href]:not([download])", "all => all.map(one => one.getAttribute('href'))")
        found = [urljoin(address, link) for link in links]
        waiting += [link for link in found if link.startswith(urljoin(start, "/admin/")) and not is_file(link)]


def is_file(address: str) -> bool:
    """Whether an address is that of something to save."""
    return urlsplit(address).path.endswith((".xlsx", ".csv", ".json", ".zip"))


def violations(page: Page) -> Iterator[str]:
    """What is wrong with the page that is loaded."""
    page.evaluate(AXE_SCRIPT)
    for theme, width, rules in LOOKS:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        page.set_viewport_size({"width": width, "height": 800})
        options = {"runOnly": rules, "resultTypes": ["violations"], "preload": False}
        for one in page.evaluate("options => axe.run(options)", options)["violations"]:
            nodes = "; ".join(
                f"{node['html'][:160]} {node['any'] and node['any'][0]['message'][:160]}" for node in one["nodes"][:3]
            )
            yield f"{theme} {width}: {one['id']}: {nodes}"
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{theme} {width}: the page is {wide} wide"
    page.set_viewport_size({"width": 1280, "height": 800})


def test_every_kind_of_page(page, demo):
    page.emulate_media(reduced_motion="reduce")
    page.goto("/admin/")
    found = {f"sign-in: {one}" for one in violations(page)}
    sign_in(page)
    kinds = []
    for kind in pages(page, f"{demo.url}/admin/"):
        kinds.append(kind)
        found |= {f"{kind}: {one}" for one in violations(page)}
    page.goto("/admin/nowhere/")
    found |= {f"not found: {one}" for one in violations(page)}
    assert len(kinds) > 40, kinds
    assert not found, "\n".join(sorted(found))
