"""A browser at the demo: `make test-browser`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import openpyxl
import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    expect,
    sync_playwright,
)

from tests.browser import demo as demos

# The machine may be busy with other things.
_PATIENCE_MS = 30_000
expect.set_options(timeout=_PATIENCE_MS)


@pytest.fixture(scope="session")
def demo() -> Iterator[demos.Demo]:
    with demos.running() as demo:
        yield demo


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = demos.chromium()
    if path is None:
        pytest.fail("There is no Chromium: install it (apt install chromium), or name one in CHROMIUM.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def fresh(demo: demos.Demo, browser: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody used before; in the end it fails when a page asked other servers or complained."""
    complaints: list[str] = []
    context = browser.new_context(
        base_url=demo.url, viewport={"width": 1280, "height": 800}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(_PATIENCE_MS)

    def heard(message: ConsoleMessage) -> None:
        # What answers say is looked at below.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            complaints.append(f"{message.location['url']}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            complaints.append(f"{response.status} {response.url}")

    def asked(request: Request) -> None:
        if not request.url.startswith((demo.url, "data:", "blob:")):
            complaints.append(f"Somebody else was asked: {request.url}")

    context.on("console", heard)
    context.on("weberror", lambda one: complaints.append(str(one.error)))
    context.on("response", answered)
    context.on("request", asked)
    yield context
    context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def context(demo: demos.Demo, browser: Browser) -> Iterator[BrowserContext]:
    with fresh(demo, browser) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def other_page(demo: demos.Demo, browser: Browser) -> Iterator[Page]:
    """A page of somebody else, in another browser."""
    with fresh(demo, browser) as context:
        yield context.new_page()


def go(place: Locator) -> None:
    """Click what leads to another page, and wait until that has come."""
    with place.page.expect_navigation():
        place.click()


def choose(page: Page, text: str) -> None:
    """Choose the first row with this text in the field that has the focus and is filled while typing, by keyboard."""

    def is_answer(response: Response) -> bool:
        return parse_qs(urlsplit(response.url).query).get("term") == [text]

    page.keyboard.press("Enter")
    expect(page.locator(".select2-container--open .select2-search__field")).to_be_focused()
    with page.expect_response(is_answer):
        page.keyboard.type(text)
    # Before it is shown, the rows are those of no text, and Enter chooses none of them.
    expect(page.locator(".select2-container--open .loading-results")).to_have_count(0)
    expect(page.locator(".select2-results__option--highlighted")).to_contain_text(text)
    page.keyboard.press("Enter")
    expect(page.locator(".select2-container--open")).to_have_count(0)


def workbook(path: Path, *chargers: tuple[str, str]) -> Path:
    """A file that brings chargers, each with its id and the name of its site."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "chargers"
    sheet.append(("chargerId", "chargerName", "group"))
    for charger_id, site in chargers:
        sheet.append((charger_id, "New", site))
    book.save(path)
    return path


def sign_in(page: Page, email: str = demos.ADMIN) -> None:
    page.goto("/admin/")
    page.get_by_label("Email address").fill(email)
    page.get_by_label("Password").fill(demos.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login/" not in address)
