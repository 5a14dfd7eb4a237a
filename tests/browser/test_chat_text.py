"""What is written: nothing stands twice or is cut, and what was said can be changed and copied."""

import json
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import OtherMembers
from tests.browser.test_chat_page import open_room
from tests.browser.test_chat_talk import choose, message

OpenAs = Callable[..., Page]


def test_a_message_whose_answer_was_lost_stands_once(
    open_as: OpenAs, people: dict[str, int]
) -> None:
    mega = open_room(open_as, "member")
    mega.evaluate(
        "sent => fetch('/ukm/ROBOTIK/messages', {method: 'POST', body: JSON.stringify(sent),"
        " headers: {'Content-Type': 'application/json'}})",
        {"message": "hilang jawabannya", "client_id": "lost"},
    )
    me = people["member"]
    author = {"user_id": me, "name": "Mega Lestari", "ukm": "ROBOTIK", "reply_to": None}
    entry = {**author, "client_id": "lost", "message": "hilang jawabannya", "state": "pending"}
    outbox = json.dumps([{**entry, "created_at": "2026-11-29T10:00:00.000Z"}])
    mega.evaluate(
        "([key, text]) => localStorage.setItem(key, text)", [f"outbox:{me}:ROBOTIK", outbox]
    )
    mega.route("**/messages", lambda route: None)  # nothing but the page itself may tell
    mega.reload()
    mega.wait_for_selector('[data-stream="open"]')
    expect(mega.locator(".message")).to_have_count(1)
    expect(mega.locator(".message")).to_have_attribute("data-state", "sent")
    assert mega.evaluate("Object.keys(localStorage).filter(key => key.startsWith('outbox'))") == []


def test_a_text_that_is_too_long_stays_and_says_so(open_as: OpenAs) -> None:
    mega = open_room(open_as, "member")
    field, counter = mega.locator("#draft"), mega.locator("#draft-count")
    field.fill("a" * 899)
    expect(counter).to_be_hidden()
    field.fill("a" * 900)
    expect(counter).to_have_text("900 / 1.000")
    field.fill("")
    paste = "text => document.execCommand('insertText', false, text)"
    field.focus()
    mega.evaluate(paste, "a" * 995 + "😀 selesai")
    expect(field).to_have_value("a" * 995 + "😀 selesai")
    expect(counter).to_have_text("4 karakter terlalu panjang")
    field.press("Enter")
    expect(mega.locator(".message")).to_have_count(0)
    expect(field).to_have_value("a" * 995 + "😀 selesai")
    field.press("End")
    for _sign in range(4):
        field.press("Backspace")
    field.press("Enter")
    expect(mega.locator(".message-text")).to_have_text("a" * 995 + "😀 sel")
    expect(counter).to_be_hidden()
    expect(mega.locator(".message")).to_have_attribute("data-state", "sent")
    field.press("ArrowUp")
    mega.locator("#edit-text").fill("b" * 1001)
    expect(mega.locator("#edit-text-count")).to_have_text("1 karakter terlalu panjang")
    mega.get_by_role("button", name="Simpan").click()
    expect(mega.locator("#edit")).to_be_visible()
    mega.locator("#edit-text").fill("pendek")
    mega.get_by_role("button", name="Simpan").click()
    expect(mega.locator(".message-text")).to_have_text("pendek")


def test_arrow_up_in_the_empty_field_edits_ones_last_message(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("lama", "ini salh ketik", who="member")
    other_members.say("dari Farhan")
    mega = open_room(open_as, "member")
    field = mega.locator("#draft")
    field.fill("draf")
    field.press("ArrowUp")
    expect(mega.locator("#edit")).to_be_hidden()
    field.fill("")
    field.press("ArrowUp")
    expect(mega.locator("#edit-text")).to_have_value("ini salh ketik")
    expect(mega.locator("#edit-text")).to_be_focused()
    mega.locator("#edit-text").fill("ini salah ketik")
    mega.get_by_role("button", name="Simpan").click()
    expect(message(mega, "ini salah ketik")).to_contain_text("diubah")
    expect(field).to_be_focused()


def test_a_text_and_a_link_to_a_message_are_copied_and_the_link_leads_there(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    first = other_members.say("yang dicari")
    other_members.say(*[f"isi {n}" for n in range(15)], who="member")
    mega = open_room(open_as, "member")
    mega.context.grant_permissions(["clipboard-read", "clipboard-write"])
    choose(mega, "isi 14", "Salin teks")
    expect(mega.locator("#toasts")).to_contain_text("Teks disalin")
    assert mega.evaluate("navigator.clipboard.readText()") == "isi 14"
    choose(mega, "yang dicari", "Salin tautan")
    expect(mega.locator("#toasts")).to_contain_text("Tautan disalin")
    link = mega.evaluate("navigator.clipboard.readText()")
    assert link.endswith(f"/ukm/ROBOTIK/chat#pesan-{first}")
    other = open_as("friend", link.partition("/ukm")[1] + link.partition("/ukm")[2])
    expect(message(other, "yang dicari")).to_be_focused()
    expect(message(other, "yang dicari")).to_be_in_viewport()
