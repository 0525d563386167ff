"""A browser at the demo: `make test-browser`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from tests.browser import demo as demos


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


@pytest.fixture
def context(demo: demos.Demo, browser: Browser) -> Iterator[BrowserContext]:
    """A fresh browser, which fails the test when a page asks other servers, or complains in the console."""
    complaints: list[str] = []
    context = browser.new_context(base_url=demo.url, viewport={"width": 1280, "height": 800}, locale="en-GB")
    context.set_default_timeout(10_000)

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
def page(context: BrowserContext) -> Page:
    return context.new_page()


def sign_in(page: Page, email: str = demos.ADMIN) -> None:
    page.goto("/admin/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(demos.PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login/" not in address)
