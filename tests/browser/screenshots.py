"""The pictures in docs/screenshots: `python -m tests.browser.screenshots` takes them again."""

from __future__ import annotations

import sys
from collections.abc import Callable

from playwright.sync_api import Page, expect, sync_playwright

from tests.browser import demo as demos
from tests.browser.conftest import go, sign_in

FOLDER = demos.ROOT / "docs" / "screenshots"

# The name of each picture, its page, and what is done there before it is taken.
PICTURES: dict[str, tuple[str, Callable[[Page], object] | None]] = {
    "home": ("/admin/", None),
    "home-dark": ("/admin/", None),
    "tree": ("/admin/hierarchy/site/tree/", lambda page: _open(page, "Utrecht")),
    "move": ("/admin/hierarchy/site/?q=stationsplein", lambda page: _confirm_move(page)),
    "charger": ("/admin/chargers/charger/1/change/", None),
    "charger-dark": ("/admin/chargers/charger/1/change/", None),
    "driver": ("/admin/drivers/driver/1/change/", None),
    "search": ("/admin/search/?q=anouk", None),
    "history": ("/admin/drivers/driver/1/history/", None),
}


def _open(page: Page, site: str) -> None:
    branch = page.get_by_role("button", name=site).first
    branch.click()
    expect(branch).to_have_attribute("aria-expanded", "true")


def _confirm_move(page: Page) -> None:
    go(page.locator("#result_list tbody a").first)
    go(page.get_by_role("link", name="Move to…"))
    page.locator(".select2-selection").first.click()
    page.keyboard.type("Breda")
    page.locator(".select2-results__option--highlighted", has_text="Breda").wait_for()
    page.keyboard.press("Enter")
    go(page.get_by_role("button", name="Preview changes"))


def take(page: Page) -> None:
    sign_in(page)
    for name, (address, prepare) in PICTURES.items():
        page.emulate_media(color_scheme="dark" if name.endswith("-dark") else "light", reduced_motion="reduce")
        page.goto(address)
        if prepare:
            prepare(page)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=FOLDER / f"{name}.png")
        print(FOLDER / f"{name}.png")


if __name__ == "__main__":
    path = demos.chromium()
    if path is None:
        sys.exit("There is no Chromium: install it (apt install chromium), or name one in CHROMIUM.")
    FOLDER.mkdir(exist_ok=True)
    with demos.running() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        take(browser.new_page(base_url=demo.url, viewport={"width": 1280, "height": 800}))
