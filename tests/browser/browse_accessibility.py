"""Every page of the admin, held against WCAG 2.2 A and AA by axe-core, in both themes, from wide to narrow."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from django.contrib import admin
from django.urls import Resolver404, URLPattern, URLResolver, resolve
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import choose, go, sign_in, workbook
from tests.browser.demo import ADMIN, OPERATOR, PASSWORD, STAFF, Demo

RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]}
LOOKS = tuple(product(("light", "dark"), (1280, 390, 320)))

# Lists that are long in the demo are looked at where they are short.
SHORT = (
    "/admin/chargers/socket/?health=error",
    "/admin/chargers/charger/?health=error",
    "/admin/drivers/integratedexternalid/?q=roaming",
    "/admin/hierarchy/change/?q=P%2BR",
)

# Addresses that answer with no page, or only send somewhere else.
NO_PAGES = {"autocomplete", "chargers_charger_status", "hierarchy_site_children", "hierarchy_site_topmost", "jsi18n"}
NO_PAGES |= {"map", "search_suggestions", "export_rows", "export_template", "hierarchy_import_errors", "logout"}
NO_PAGES |= {"operators_operator_invite", "operators_operator_unlock", "hierarchy_change_add", "app_list"}


def kind_of(address: str) -> str:
    """The name of the page of the admin at an address; histories and deletions are the same for all models."""
    try:
        match = resolve(urlsplit(address).path)
    except Resolver404:
        return ""
    return same_kind(match.url_name or "") if match.app_name == "admin" else ""


def same_kind(name: str) -> str:
    return next((same for same in ("history", "delete") if name.endswith(f"_{same}")), name)


def all_kinds(patterns: Iterable[URLPattern | URLResolver] = ()) -> Iterator[str]:
    for pattern in patterns or admin.site.urls[0]:
        if isinstance(pattern, URLResolver):
            yield from all_kinds(pattern.url_patterns)
        elif pattern.name:
            yield same_kind(pattern.name)


def violations(page: Page) -> Iterator[str]:
    """What is wrong with the page that is shown."""
    # Its style sheets and scripts may still be on their way.
    page.wait_for_load_state()
    page.evaluate(AXE_SCRIPT)
    for theme, width in LOOKS:
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        page.set_viewport_size({"width": width, "height": 800})
        options = {"runOnly": RULES, "resultTypes": ["violations"], "preload": False}
        for one in page.evaluate("options => axe.run(options)", options)["violations"]:
            nodes = "; ".join(
                f"{node['html'][:160]} {node['any'] and node['any'][0]['message'][:160]}" for node in one["nodes"][:3]
            )
            yield f"{theme} {width}: {one['id']}: {nodes}"
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            yield f"{theme} {width}: the page is {wide} wide"
    page.set_viewport_size({"width": 1280, "height": 800})


class Walk:
    """Which kinds of pages were looked at, and what was wrong with them."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.kinds: set[str] = set()
        self.wrong: set[str] = set()

    def look(self, what: str, page: Page | None = None) -> None:
        """At the page that is shown; `what` it is in words where its kind does not say it."""
        page = page or self.page
        self.kinds.add(kind_of(page.url))
        self.wrong |= {f"{what} ({urlsplit(page.url).path}): {one}" for one in violations(page)}

    def visit(self, address: str, what: str = "") -> None:
        self.page.goto(address)
        self.look(what or kind_of(self.page.url))

    def open(self, link: Locator, what: str) -> None:
        """Follow a link, and look at the page when it has come."""
        go(link)
        self.look(what)

    def sign_in(self, email: str) -> None:
        self.page.context.clear_cookies()
        sign_in(self.page, email)

    def follow(self, *starts: str) -> None:
        """One page of each kind to which links lead."""
        waiting, seen = list(starts), set[str]()
        while waiting:
            address = waiting.pop(0)
            kind = kind_of(address)
            if not kind or kind in seen or kind in NO_PAGES:
                continue
            seen.add(kind)
            self.page.goto(address)
            if kind_of(self.page.url) not in self.kinds:
                self.look(kind)
            links = self.page.eval_on_selector_all(
                "a[href]:not([download], [href*=_popup])", "all => all.map(one => one.getAttribute('href'))"
            )
            waiting += [urljoin(address, link) for link in links]


def strangers(walk: Walk) -> None:
    """Who is not signed in."""
    page = walk.page
    walk.visit("/admin/", "signing in")
    page.get_by_label("Email address").fill("nobody@example.org")
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    walk.look("signing in with a wrong password")
    walk.visit("/admin/password/forgotten/")
    page.get_by_label("Email address").fill("nobody@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    walk.look("a link was asked for")
    walk.visit("/admin/password/MQ/used-up/", "a link that was used")
    walk.visit("/nowhere/", "not found, not signed in")
    walk.visit("/problems/not-found", "what a problem of the API means")


def errors(walk: Walk) -> None:
    walk.visit("/admin/nowhere/", "not found")
    walk.page.goto("/admin/account/")
    walk.page.evaluate("document.querySelector('#content-main [name=csrfmiddlewaretoken]').value = 'old'")
    go(walk.page.get_by_role("button", name="Save"))
    expect(walk.page.get_by_role("heading", level=1)).to_have_text("This page was open for too long")
    walk.look("an old form")


def sessions_that_end(walk: Walk) -> None:
    page = walk.page
    page.goto("/admin/hierarchy/site/?q=P%2BR")
    go(page.locator("#result_list tbody tr").first.get_by_role("link").first)
    page.get_by_label("Public name:").fill("Typed before")
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    go(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("You were signed out before this was saved.")).to_be_visible()
    walk.look("signed out before saving")
    page.get_by_label("Email address").fill(ADMIN)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Save your earlier input?")
    walk.look("what was typed is offered")
    go(page.get_by_role("button", name="Save now"))
    expect(page.locator(".messagelist")).to_be_visible()


def searches(walk: Walk) -> None:
    walk.visit("/admin/search/?q=utrecht", "found")
    walk.visit("/admin/search/?q=nothing-of-the-kind", "nothing found")
    walk.visit("/admin/drivers/driver/?q=nothing-of-the-kind", "no row found")
    walk.visit("/admin/hierarchy/change/?q=nothing-of-the-kind", "no change found")
    walk.page.locator("#find-text").fill("utrecht")
    expect(walk.page.locator("#find-list a").first).to_be_visible()
    walk.look("suggestions")


def access(walk: Walk) -> None:
    """Who may charge where; a charger and a driver are those of the first right."""
    walk.page.goto("/admin/drivers/siteright/")
    right = walk.page.locator("#result_list tbody tr").first
    driver = right.locator(".field-driver").inner_text()
    walk.page.goto(f"/admin/search/?q={driver}")
    walk.open(walk.page.locator("main").get_by_role("link", name="Accessible chargers").first, "within reach")
    walk.open(walk.page.locator("#content-main tbody tr").first.get_by_role("link").first, "a charger")
    charger = walk.page.url.partition("/change/")[0]
    walk.visit(f"{charger}/drivers/")
    walk.visit(f"{charger}/access/?tag=nobodys", "an unknown tag")


def moves(walk: Walk) -> None:
    page = walk.page
    page.goto("/admin/hierarchy/site/?q=P%2BR")
    go(page.locator("#result_list tbody tr").first.get_by_role("link").first)
    go(page.get_by_role("link", name="Move to…"))
    go(page.get_by_role("link", name="Move to the top level"))
    expect(page.get_by_role("button", name="Move site")).to_be_visible()
    walk.look("a move")


def bulk_changes(walk: Walk) -> None:
    page = walk.page
    page.goto("/admin/chargers/charger/?health=error")
    page.locator("#result_list tbody .action-select").first.check()
    page.get_by_label("Action:").select_option("Grant a driver the right to charge")
    go(page.get_by_role("button", name="Go"))
    expect(page.get_by_role("button", name="Preview changes")).to_be_visible()
    walk.look("what an action asks")
    go(page.get_by_role("button", name="Preview changes"))
    expect(page.locator(".errorlist")).to_be_visible()
    walk.look("an action without an answer")
    page.locator("#content-main .select2-selection").focus()
    choose(page, "a")
    walk.look("a chosen row")
    go(page.get_by_role("button", name="Preview changes"))
    expect(page.get_by_text("These are the changes that would be made.")).to_be_visible()
    walk.look("what an action would do")
    go(page.get_by_role("button", name="Discard"))


def imports(walk: Walk, folder: Path) -> None:
    page = walk.page
    for site, what in (("Utrect", "a file with errors"), ("Utrecht", "a file")):
        page.goto("/admin/hierarchy/import/add/")
        page.locator("input[type=file]").set_input_files(workbook(folder / "chargers.xlsx", ("WALK-1", site)))
        go(page.get_by_role("button", name="Preview changes"))
        expect(page.get_by_role("button", name=re.compile("Preview again|Apply this"))).to_be_visible()
        walk.look(what)
    go(page.get_by_role("button", name="Apply this 1 change"))
    expect(page.locator(".messagelist")).to_be_visible()
    walk.look("after an import")
    walk.visit("/admin/hierarchy/import/", "imports")


def changes(walk: Walk, name: str) -> None:
    """A name without a blank, given while another page of the same site is open, then taken back."""
    page = walk.page
    page.goto("/admin/hierarchy/site/?q=P%2BR")
    go(page.locator("#result_list tbody tr").last.get_by_role("link").first)
    with page.context.new_page() as other:
        other.goto(page.url)
        other.get_by_label("Name:", exact=True).fill(name)
        go(other.get_by_role("button", name="Save and continue editing"))
        expect(other.locator(".messagelist")).to_be_visible()
        walk.look("a long name", other)
    page.get_by_label("Name:", exact=True).fill("Overtaken")
    go(page.get_by_role("button", name="Save and continue editing"))
    expect(page.get_by_text("Someone else changed this too.")).to_be_visible()
    walk.look("a conflict")
    page.goto(page.url)
    go(page.get_by_role("link", name="History"))
    walk.open(page.get_by_role("link", name="This object only"), "the history of a long name")
    history = page.url
    go(page.get_by_role("link", name="Related changes").first)
    go(page.get_by_role("link", name="Undo all of these changes"))
    expect(page.get_by_role("button", name="Undo this 1 change")).to_be_visible()
    walk.look("an undo of a step")
    page.goto(history)
    go(page.get_by_role("link", name="Restore this version").first)
    expect(page.get_by_role("button", name="Restore this version")).to_be_visible()
    walk.look("an earlier state")
    page.goto(history)
    go(page.get_by_role("link", name="Undo").first)
    expect(page.get_by_role("button", name="Undo this change")).to_be_visible()
    walk.look("an undo")
    go(page.get_by_role("button", name="Undo this change"))
    expect(page.locator(".messagelist")).to_be_visible()


def programs(walk: Walk) -> None:
    """API keys and webhooks, and what is shown once."""
    page = walk.page
    page.goto("/admin/account/")
    go(page.get_by_role("link", name="Create API key"))
    page.get_by_label("Name:").fill("Walk")
    go(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("Copy it now")).to_be_visible()
    walk.look("a new key")
    page.goto("/admin/account/")
    go(page.get_by_role("link", name="Create webhook"))
    page.get_by_label("Name:").fill("Walk")
    page.get_by_label("URL:").fill("https://hooks.example.org/walk")
    page.get_by_label("created").check()
    go(page.get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("Copy it now")).to_be_visible()
    walk.look("a new webhook")
    page.goto("/admin/account/")
    walk.open(page.get_by_role("link", name="Walk", exact=True).last, "a webhook")
    walk.open(page.get_by_role("link", name="Rotate the secret"), "a question")
    page.goto("/admin/operators/apikey/?q=Walk")
    page.locator("#result_list tbody .action-select").first.check()
    page.get_by_label("Action:").select_option("Revoke selected keys")
    go(page.get_by_role("button", name="Go"))
    expect(page.get_by_role("button", name="Revoke")).to_be_visible()
    walk.look("keys to revoke")


def beginners(walk: Walk) -> None:
    """The first operator of a new customer, who comes by an invitation and finds nothing yet."""
    page = walk.page
    walk.sign_in(STAFF)
    walk.visit("/admin/", "the home of platform staff")
    page.goto("/admin/hierarchy/customer/add/")
    walk.look("a new customer")
    page.get_by_label("Name:", exact=True).fill("Beginners")
    go(page.get_by_role("button", name="Save", exact=True))
    page.goto("/admin/operators/operator/add/")
    page.locator("#id_customer + .select2 .select2-selection").focus()
    choose(page, "Beginners")
    page.get_by_label("Name:", exact=True).fill("Beginner")
    page.get_by_label("Email address:").fill("beginner@beginners.example")
    page.get_by_label("Admin operator").check()
    go(page.get_by_role("button", name="Save", exact=True))
    link = page.locator(".shown-once code").inner_text()
    walk.look("a link to hand over")
    page.goto("/admin/operators/operator/?q=beginner%40beginners.example")
    go(page.locator("#result_list tbody tr").first.get_by_role("link").first)
    walk.open(page.get_by_role("link", name="Set password"), "a password for somebody else")
    page.context.clear_cookies()
    walk.visit(link, "an invitation")
    for label in ("Password:", "Confirm password:"):
        page.get_by_label(label, exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_be_visible()
    walk.look("the home of an empty network")
    for address in (
        "/admin/hierarchy/site/tree/",
        "/admin/chargers/charger/",
        "/admin/hierarchy/import/",
        "/admin/export/",
        "/admin/account/",
    ):
        walk.visit(address, "an empty network")


def restricted(walk: Walk) -> None:
    walk.sign_in(OPERATOR)
    walk.visit("/admin/", "the home of who sees a part")
    walk.visit("/admin/account/", "the account of who sees a part")
    walk.visit("/admin/hierarchy/customer/add/", "not permitted")


def test_every_page(page: Page, demo: Demo, tmp_path: Path) -> None:
    walk = Walk(page)
    strangers(walk)
    sign_in(page)
    access(walk)
    walk.follow(*(f"{demo.url}{address}" for address in SHORT), f"{demo.url}/admin/")
    errors(walk)
    sessions_that_end(walk)
    searches(walk)
    moves(walk)
    bulk_changes(walk)
    imports(walk, tmp_path)
    changes(walk, f"P+R{'ohneLeerzeichen' * 7}")
    programs(walk)
    walk.visit("/admin/password_change/done/")
    beginners(walk)
    restricted(walk)
    unseen = sorted(set(all_kinds()) - NO_PAGES - walk.kinds)
    assert not walk.wrong, "\n".join(sorted(walk.wrong))
    assert not unseen, "Nobody looked at these pages."
