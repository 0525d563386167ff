"""The pictures in docs/screenshots: `python -m tests.browser.screenshots` takes them again."""

from __future__ import annotations

import sys

from playwright.sync_api import Page, sync_playwright

from tests.browser import demo as demos
from tests.browser.conftest import sign_in

FOLDER = demos.ROOT / "docs" / "screenshots"

# The name of each picture, the page, and where on it to begin.
PICTURES = {
    "home": "/admin/",
    "tree": "/admin/hierarchy/site/tree/",
    "charger": "/admin/chargers/charger/1/change/",
    "driver": "/admin/drivers/driver/1/change/",
    "search": "/admin/search/?q=anouk",
    "history": "/admin/hierarchy/change/",
}


def take(page: Page) -> None:
    sign_in(page)
    for name, address in PICTURES.items():
        for theme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
            page.goto(address)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=FOLDER / f"{name}-{theme}.png")
            print(FOLDER / f"{name}-{theme}.png")


if __name__ == "__main__":
    path = demos.chromium()
    if path is None:
        sys.exit("There is no Chromium: install it (apt install chromium), or name one in CHROMIUM.")
    FOLDER.mkdir(exist_ok=True)
    with demos.running() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        take(browser.new_page(base_url=demo.url, viewport={"width": 1280, "height": 800}))
