"""Every action of the chat by keyboard alone, and what a screen reader finds."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import OtherMembers, check_axe, each_appearance
from tests.support.people import UKM

OpenAs = Callable[..., Page]
ROOM = f"/ukm/{UKM}/chat"


def open_room(open_as: OpenAs) -> Page:
    page = open_as("member", ROOM)
    page.wait_for_selector('html[data-stream="open"]')
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def write_refused(page: Page, *texts: str) -> None:
    """Write messages that the server refuses."""
    page.route("**/messages", lambda route: route.fulfill(status=422, json={}))
    page.get_by_role("textbox", name="Tulis pesan").focus()
    for text in texts:
        page.keyboard.type(text)
        press(page, "Enter")


def pick(page: Page, name: str) -> None:
    """Choose an item of the open menu with the arrow keys and Enter."""
    item = page.locator("#message-menu").get_by_text(name, exact=True)
    if not item.count():
        item = page.locator(f'#message-menu [aria-label="{name}"]')
    for _ in range(20):
        if item.evaluate("item => item === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("ArrowDown")
    raise AssertionError(f"the menu has no {name}")


def open_newest_menu(page: Page) -> None:
    """Open the newest message's menu by keyboard, from the text field."""
    press(page, "Shift+Tab")
    while not page.get_by_role("log").evaluate("log => log === document.activeElement"):
        press(page, "Shift+Tab")
    press(page, "End", "Enter")


def test_a_message_is_sent_answered_edited_and_deleted_by_keyboard(open_as: OpenAs) -> None:
    page = open_room(open_as)
    page.get_by_role("textbox", name="Tulis pesan").focus()
    page.keyboard.type("pertama")
    press(page, "Enter")
    said = page.locator(".message")
    expect(said).to_have_attribute("data-state", "sent")

    open_newest_menu(page)
    pick(page, "Suka")
    expect(said.locator(".reaction")).to_have_text("👍1")
    expect(said).to_be_focused()

    press(page, "Enter")
    pick(page, "Balas")
    page.keyboard.type("jawaban")
    press(page, "Enter")
    expect(said.last.locator(".quote")).to_contain_text("pertama")
    expect(said.last).to_have_attribute("data-state", "sent")

    open_newest_menu(page)
    pick(page, "Ubah")
    press(page, "Control+A")
    page.keyboard.type("jawaban lain")
    press(page, "Tab", "Tab", "Enter")
    expect(said.last.locator(".message-text")).to_have_text("jawaban lain")

    open_newest_menu(page)
    pick(page, "Ke pesan asli")
    expect(said.first).to_be_focused()
    press(page, "ArrowDown", "Enter")
    pick(page, "Hapus")
    press(page, "Tab", "Enter")
    expect(said.last.locator(".message-text")).to_have_text("Pesan dihapus")
    press(page, "Enter")  # a deleted message has no menu
    expect(page.locator("#message-menu")).to_be_hidden()


def test_a_message_is_reported_and_pinned_by_keyboard(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.update_membership(is_admin=True)
    other_members.say("kasar")
    page = open_room(open_as)
    page.get_by_role("textbox", name="Tulis pesan").focus()
    open_newest_menu(page)
    pick(page, "Laporkan")
    page.keyboard.type("Tidak sopan")
    press(page, "Tab", "Tab", "Enter")
    expect(page.locator(".toast")).to_contain_text("Terima kasih")
    page.get_by_role("log").focus()
    press(page, "End", "Enter")
    pick(page, "Sematkan")
    expect(page.locator("#pin")).to_contain_text("kasar")
    page.get_by_role("button", name="Lepas sematan").focus()
    press(page, "Enter")
    expect(page.locator("#pin")).to_be_hidden()


def test_escape_closes_the_menu_the_list_of_names_and_the_reply(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("Halo")
    page = open_room(open_as)
    field = page.get_by_role("textbox", name="Tulis pesan")
    field.focus()
    open_newest_menu(page)
    press(page, "Escape")
    expect(page.locator("#message-menu")).to_be_hidden()
    expect(page.locator(".message")).to_be_focused()
    press(page, "Enter")
    pick(page, "Balas")
    expect(field).to_be_focused()
    page.keyboard.type("@")
    expect(page.get_by_role("option")).to_have_count(2)
    press(page, "Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(page.locator("#replying")).to_be_visible()
    press(page, "Escape")
    expect(page.locator("#replying")).to_be_hidden()


def test_failed_messages_are_resent_or_discarded(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    page = open_room(open_as)
    write_refused(page, "satu", "dua")
    said = page.locator(".message")
    expect(said.nth(1).get_by_role("button", name="Kirim ulang")).to_be_visible()
    page.unroute("**/messages")
    # From the field back past the button for files, to the button that discards "dua".
    press(page, "Shift+Tab", "Shift+Tab", "Enter")
    expect(said).to_have_count(1)
    expect(said).to_be_focused()
    said.get_by_role("button", name="Kirim ulang").focus()
    press(page, "Enter")
    expect(said).to_have_attribute("data-state", "sent")
    console_errors[:] = [each for each in console_errors if "422" not in each]


def test_a_room_whose_only_message_is_discarded_is_empty_again(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    page = open_room(open_as)
    write_refused(page, "satu")
    page.get_by_role("button", name="Buang").focus()
    press(page, "Enter")
    expect(page.get_by_text("Belum ada pesan")).to_be_visible()
    expect(page.get_by_role("log")).to_be_focused()
    console_errors[:] = [each for each in console_errors if "422" not in each]


def test_only_the_message_of_the_open_menu_is_marked(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("satu", "dua")
    page = open_room(open_as)
    marked = page.locator(".message.is-chosen")
    for text in ("satu", "dua"):
        # A click as a screen reader sends it: it does not close the open menu first.
        page.locator(".message", has_text=text).locator(".message-more").dispatch_event("click")
        expect(marked).to_have_count(1)
        expect(marked).to_contain_text(text)
    press(page, "Escape")
    expect(marked).to_have_count(0)


def test_axe_finds_nothing_with_menus_and_lists_open(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.update_membership(is_admin=True)
    first = other_members.say("Halo https://contoh.example")
    other_members.say("@Mega Lestari ya", reply_to=first)
    page = open_room(open_as)
    page.get_by_role("log").focus()
    press(page, "End", "Shift+Enter", "Control+Enter")
    expect(page.locator("#message-menu")).to_be_hidden()
    press(page, "Enter")
    pick(page, "Suka")
    expect(page.locator(".reaction")).to_have_count(1)
    for _appearance in each_appearance(page):
        for step in (open_menu, open_names, open_notices):
            step(page)
            check_axe(page)
            press(page, "Escape")


def open_menu(page: Page) -> None:
    page.get_by_role("log").focus()
    press(page, "End", "Enter")
    expect(page.locator("#message-menu")).to_be_visible()


def open_names(page: Page) -> None:
    page.get_by_role("textbox", name="Tulis pesan").fill("")
    page.get_by_role("textbox", name="Tulis pesan").press_sequentially("@")
    expect(page.get_by_role("option")).to_have_count(2)


def open_notices(page: Page) -> None:
    page.get_by_role("button", name=re.compile("Pemberitahuan")).click()
    expect(page.locator("#notices")).to_be_visible()
