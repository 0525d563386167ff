"""What people do in the admin all day, as they do it: by keyboard and mouse, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in
from tests.browser.demo import ADMIN, PASSWORD


def choose(page: Page, text: str) -> None:
    """Choose in the field that has the focus and is filled while typing, by keyboard."""
    page.keyboard.press("Enter")
    page.keyboard.type(text)
    expect(page.locator(".select2-results__option--highlighted")).to_contain_text(text)
    page.keyboard.press("Enter")


def tab_to(page: Page, name: str, steps: int = 60) -> None:
    """Press the tabulator until the element of this name has the focus."""
    for _step in range(steps):
        page.keyboard.press("Tab")
        said = page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")
        if (said or "").strip() == name:
            return
    raise AssertionError(f"{name} is not reached by keyboard.")


def test_signing_in(page):
    page.goto("/admin/")
    page.get_by_label("E-mail address").fill(ADMIN)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("is wrong")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your network")).to_be_visible()


def test_finding_a_charger_by_the_holder_of_a_tag(page):
    sign_in(page)
    page.goto("/admin/drivers/siteright/")
    driver = page.locator("#result_list tbody tr").first.locator(".field-driver").inner_text()
    page.goto("/admin/")
    page.keyboard.press("/")
    page.keyboard.type(driver)
    page.keyboard.press("Enter")
    page.locator("main").get_by_role("link", name="within reach").first.click()
    charger = page.locator("#content-main tbody tr").first.get_by_role("link").first
    name = charger.inner_text()
    charger.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_moving_a_site_by_keyboard(page):
    sign_in(page)
    page.goto("/admin/hierarchy/site/?q=P%2BR")
    site = page.locator("#result_list tbody tr").first.get_by_role("link").first
    name = site.inner_text().strip()
    site.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name:", exact=True)).to_have_value(name)
    tab_to(page, "Move to…")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Choose where it is to lie")).to_be_visible()
    tab_to(page, "Type a part of the name")
    choose(page, "Hoofdkantoor")
    tab_to(page, "Look at what changes")
    page.keyboard.press("Enter")
    expect(page.get_by_text("With it go")).to_be_visible()
    tab_to(page, "Move it")
    page.keyboard.press("Enter")
    expect(page.locator(".messagelist")).to_contain_text(name)


def test_a_right_lets_a_driver_reach_more(page):
    sign_in(page)
    page.goto("/admin/drivers/driver/?rights=none")
    page.locator("#result_list tbody tr").first.get_by_role("link").first.click()
    expect(page.get_by_text("0 chargers")).to_be_visible()
    page.get_by_text("Add another Right on a site").click()
    page.locator("[id^=id_site][id$='-0-site'] + .select2 .select2-selection").focus()
    choose(page, "Utrecht")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.locator("main").get_by_text(re.compile(r"[1-9]\d* chargers at \d+ sites")).first).to_be_visible()


def workbook(path: Path, site: str) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "chargers"
    for row in (("chargerId", "chargerName", "group"), ("NEW-1", "New", site), ("NEW-2", "New too", site)):
        sheet.append(row)
    book.save(path)
    return path


def test_importing_a_workbook_with_an_error(page, tmp_path):
    sign_in(page)
    page.get_by_role("link", name="Import a file").click()
    page.locator("input[type=file]").set_input_files(workbook(tmp_path / "chargers.xlsx", "Utrect"))
    page.get_by_role("button", name="Look at the changes").click()
    expect(page.locator("main")).to_contain_text("Utrecht")
    expect(page.locator("main")).to_contain_text("Utrect")
    page.goto("/admin/hierarchy/import/add/")
    page.locator("input[type=file]").set_input_files(workbook(tmp_path / "chargers.xlsx", "Utrecht"))
    page.get_by_role("button", name="Look at the changes").click()
    page.get_by_role("button", name="Apply these 2 changes").click()
    page.goto("/admin/chargers/charger/?q=NEW-2")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def test_undoing_a_change(page):
    sign_in(page)
    page.goto("/admin/drivers/driver/")
    page.locator("#result_list tbody tr").last.get_by_role("link").first.click()
    old = page.get_by_label("Name:", exact=True).input_value()
    page.get_by_label("Name:", exact=True).fill("Somebody Else")
    page.get_by_role("button", name="Save and continue editing").click()
    page.get_by_role("link", name="History").click()
    page.get_by_role("link", name="Undo").first.click()
    expect(page.locator("main")).to_contain_text(old)
    page.get_by_role("button", name=re.compile("Undo|Restore|Write")).click()
    expect(page.locator("body")).to_contain_text(old)
    page.goto(f"/admin/drivers/driver/?q={old}")
    expect(page.locator("#result_list")).to_contain_text(old)
