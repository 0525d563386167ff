"""What people do in the admin all day, as they do it: by keyboard and mouse, in a real browser."""

from __future__ import annotations

import re
import uuid

from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import choose, go, sign_in, workbook
from tests.browser.demo import ADMIN, PASSWORD


def tab_to(place: Locator, steps: int = 80) -> None:
    """Press the tabulator until this element has the focus."""
    expect(place).to_be_visible()
    for _step in range(steps):
        place.page.keyboard.press("Tab")
        if place.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{place} is not reached by keyboard.")


def press(place: Locator) -> None:
    """A link or a button, by keyboard alone."""
    tab_to(place)
    place.page.keyboard.press("Enter")


def go_by_keyboard(place: Locator) -> None:
    """Press what leads to another page, and wait until that has come."""
    with place.page.expect_navigation():
        press(place)


def skip_to_content(page: Page) -> None:
    """Past the bar and the navigation of a page that was just loaded."""
    press(page.get_by_role("link", name="Skip to main content"))


def test_signing_in(page):
    page.goto("/admin/")
    page.get_by_label("Email address").fill(ADMIN)
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
    with page.expect_navigation():
        page.keyboard.press("Enter")
    go(page.locator("main").get_by_role("link", name="Accessible chargers").first)
    charger = page.locator("#content-main tbody tr").first.get_by_role("link").first
    name = charger.inner_text()
    go(charger)
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def test_moving_a_site_by_keyboard(page):
    sign_in(page)
    page.goto("/admin/hierarchy/site/?q=P%2BR")
    site = page.locator("#result_list tbody tr").first.get_by_role("link").first
    name = site.inner_text().strip()
    site.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.get_by_label("Name:", exact=True)).to_have_value(name)
    skip_to_content(page)
    go_by_keyboard(page.get_by_role("link", name="Move to…"))
    expect(page.get_by_text("Choose the new parent site")).to_be_visible()
    tab_to(page.locator("#content-main .select2-selection"))
    choose(page, "Hoofdkantoor")
    go_by_keyboard(page.get_by_role("button", name="Preview changes"))
    expect(page.get_by_text("This also moves")).to_be_visible()
    go_by_keyboard(page.get_by_role("button", name="Move site"))
    expect(page.locator(".messagelist")).to_contain_text(name)


def test_a_right_lets_a_driver_reach_more(page):
    sign_in(page)
    page.goto("/admin/drivers/driver/?rights=none")
    go(page.locator("#result_list tbody tr").first.get_by_role("link").first)
    expect(page.get_by_text("0 chargers")).to_be_visible()
    skip_to_content(page)
    press(page.get_by_role("navigation", name="On this page").get_by_role("link", name="Rights on sites"))
    press(page.get_by_text("Add another right on a site"))
    choose(page, "Utrecht")
    go_by_keyboard(page.get_by_role("button", name="Save and continue editing"))
    expect(page.locator("main").get_by_text(re.compile(r"[1-9]\d* chargers at \d+ sites")).first).to_be_visible()


def test_typing_opens_a_field_and_loses_no_letter(page):
    sign_in(page)
    page.goto("/admin/drivers/siteright/add/")
    field = page.locator(".select2-search__field")
    for key in ("", "ArrowDown", "Enter"):
        page.locator("#id_site + .select2 .select2-selection").focus()
        if key:
            page.keyboard.press(key)
        page.keyboard.type("Hoofdkantoor")
        expect(field).to_have_value("Hoofdkantoor")
        page.keyboard.press("Escape")
        expect(field).to_have_count(0)


def test_enter_chooses_nothing_before_there_is_an_answer(page):
    sign_in(page)
    page.goto("/admin/drivers/siteright/add/")
    held: list[Route] = []
    page.route("**/autocomplete/**", lambda route: held.append(route))
    box = page.locator("#id_site + .select2 .select2-selection")
    box.focus()
    page.keyboard.type("Utrecht")
    expect(page.locator(".select2-search__field")).to_have_value("Utrecht")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    assert held
    expect(page.locator("#id_site")).to_have_value("")
    for route in held:
        route.continue_()
    expect(page.locator(".select2-results__option--highlighted")).to_contain_text("Utrecht")
    page.keyboard.press("Enter")
    expect(page.locator("#id_site option:checked")).to_contain_text("Utrecht")


def test_importing_a_workbook_with_an_error(page, tmp_path):
    sign_in(page)
    go(page.get_by_role("link", name="Import a file"))
    page.locator("input[type=file]").set_input_files(
        workbook(tmp_path / "chargers.xlsx", ("NEW-1", "Utrect"), ("NEW-2", "Utrect"))
    )
    go(page.get_by_role("button", name="Preview changes"))
    expect(page.locator("main")).to_contain_text("Utrecht")
    expect(page.locator("main")).to_contain_text("Utrect")
    page.goto("/admin/hierarchy/import/add/")
    page.locator("input[type=file]").set_input_files(
        workbook(tmp_path / "chargers.xlsx", ("NEW-1", "Utrecht"), ("NEW-2", "Utrecht"))
    )
    go(page.get_by_role("button", name="Preview changes"))
    go(page.get_by_role("button", name="Apply these 2 changes"))
    page.goto("/admin/chargers/charger/?q=NEW-2")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)


def undo_last(page: Page) -> None:
    """Take back the last change of the object whose page this is."""
    skip_to_content(page)
    go_by_keyboard(page.get_by_role("link", name="History"))
    skip_to_content(page)
    go_by_keyboard(page.get_by_role("link", name="Undo").first)
    skip_to_content(page)
    go_by_keyboard(page.get_by_role("button", name="Undo this change"))
    expect(page.locator(".messagelist")).to_be_visible()


def test_undoing_a_change(page):
    sign_in(page)
    page.goto("/admin/drivers/driver/")
    go(page.locator("#result_list tbody tr").last.get_by_role("link").first)
    name = page.get_by_label("Name:", exact=True)
    old = name.input_value()
    name.fill("Somebody Else")
    go(page.get_by_role("button", name="Save and continue editing"))
    expect(page.locator(".messagelist")).to_contain_text("Somebody Else")
    address = page.url
    undo_last(page)
    page.goto(address)
    expect(name).to_have_value(old)


def test_moving_chargers_together_and_back(page):
    sign_in(page)
    page.goto("/admin/chargers/charger/?health=error")
    rows = page.locator("#result_list tbody tr")
    addresses = [rows.nth(place).get_by_role("link").first.get_attribute("href") for place in range(2)]
    places = [rows.nth(place).locator(".field-place").inner_text() for place in range(2)]
    for place in range(2):
        rows.nth(place).locator(".action-select").check()
    page.get_by_label("Action:").select_option("Move to another site")
    go(page.get_by_role("button", name="Go"))
    page.locator("#content-main .select2-selection").focus()
    choose(page, "Hoofdkantoor")
    go(page.get_by_role("button", name="Preview changes"))
    expect(page.locator("#steps li")).to_have_count(2)
    go(page.get_by_role("button", name="Apply these 2 changes"))
    expect(page.locator(".messagelist")).to_be_visible()
    for address, place in zip(addresses, places, strict=True):
        page.goto(address)
        site = page.locator("#id_site option:checked")
        expect(site).to_have_text(re.compile("Hoofdkantoor"))
        undo_last(page)
        page.goto(address)
        expect(site).to_have_text(place)


def test_two_people_change_the_same(page, other_page):
    for one in (page, other_page):
        sign_in(one)
        one.goto("/admin/drivers/driver/?q=a")
        go(one.locator("#result_list tbody tr").first.get_by_role("link").first)
    name = page.get_by_label("Name:", exact=True)
    old = name.input_value()
    for one, text in ((other_page, "Typed First"), (page, "Typed Second")):
        one.get_by_label("Name:", exact=True).fill(text)
        go(one.get_by_role("button", name="Save and continue editing"))
    question = page.get_by_role("group", name="Someone else changed this too.")
    expect(question).to_contain_text("Typed First")
    expect(name).to_have_value("Typed Second")
    question.get_by_label("Use theirs:").check()
    go(page.get_by_role("button", name="Save and continue editing"))
    expect(name).to_have_value("Typed First")
    name.fill(old)
    go(page.get_by_role("button", name="Save and continue editing"))
    expect(page.locator(".messagelist")).to_contain_text(old)


def test_an_invitation_is_handed_over(page, other_page):
    email = f"{uuid.uuid4().hex}@polderstroom.example"
    sign_in(page)
    page.goto("/admin/operators/operator/add/")
    page.get_by_label("Name:", exact=True).fill("Newcomer")
    page.get_by_label("Email address:").fill(email)
    go(page.get_by_role("button", name="Save", exact=True))
    link = page.locator(".shown-once code").inner_text()
    # Loading the page again sends nothing again: it says that it was shown.
    page.reload()
    expect(page.locator(".messagelist")).to_contain_text("If you did not copy it, invite again")
    other_page.goto(link)
    expect(other_page.locator("main")).to_contain_text(email)
    for label in ("Password:", "Confirm password:"):
        other_page.get_by_label(label, exact=True).fill("correct horse battery staple")
    other_page.keyboard.press("Enter")
    expect(other_page.get_by_role("heading", name="You do not have access to any site yet")).to_be_visible()
    page.goto(link)
    expect(page.locator("main")).to_contain_text("This link was already used")


def test_after_a_failed_save_the_error_has_the_focus(page):
    sign_in(page)
    page.goto("/admin/drivers/driver/add/")
    page.get_by_label("External ID:", exact=True).first.fill("HR/1")
    # The browser itself would not send it.
    page.evaluate("document.querySelector('#driver_form').noValidate = true")
    go(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator(".errorlist").first).to_be_visible()
    expect(page.get_by_label("Name:", exact=True)).to_be_focused()


def test_phones_reach_all_lists(page):
    page.set_viewport_size({"width": 390, "height": 800})
    sign_in(page)
    page.goto("/admin/drivers/driver/")
    tags = page.get_by_role("navigation", name="Sidebar").get_by_role("link", name="Tags", exact=True)
    expect(tags).to_be_hidden()
    button = page.get_by_role("button", name="Toggle navigation")
    expect(button).to_have_attribute("aria-expanded", "false")
    press(button)
    expect(button).to_have_attribute("aria-expanded", "true")
    go_by_keyboard(tags)
    expect(page.get_by_role("heading", level=1)).to_have_text("Tags")
    expect(tags).to_be_hidden()
