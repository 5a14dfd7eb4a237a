"""The search of messages: the keys Ctrl+/, the results, and the conversation around a result."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Dialog, Page, expect

from myukm.db.types import utcnow
from myukm.domain.actor import Actor
from myukm.domain.chat import messages
from myukm.domain.ukm import moderation
from tests.browser.conftest import PHONE, OtherMembers, check_look
from tests.browser.test_chat_long import many_messages  # noqa: F401 (5,000 messages)
from tests.support.people import UKM
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
CHAT = f"/ukm/{UKM}/chat"


def test_control_slash_opens_the_search_and_a_result_opens_its_message(
    open_as: OpenAs,
    many_messages: None,  # noqa: F811
    other_members: OtherMembers,
) -> None:
    page = open_as("member", CHAT)
    page.locator("#timeline").press("/")  # dictation software may press keys for spoken words
    expect(page.get_by_role("searchbox")).not_to_be_focused()
    page.locator("#draft").press("Control+/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type('"pesan 777" dari:farhan')
    page.keyboard.press("Enter")
    hit = page.locator("[data-message]")
    expect(hit).to_have_count(1)
    expect(hit.locator("mark")).to_have_text("pesan 777")
    check_look(page)
    hit.get_by_role("link").click()
    target = page.locator(".message.is-highlighted, .message:focus")
    expect(target).to_contain_text("pesan 777 ")
    expect(target).to_be_in_viewport()
    expect(page.locator("#jump")).to_be_visible()

    # Newer messages load when the reader scrolls down; a new message is shown only at the end.
    other_members.say("baru saja")
    page.evaluate("document.getElementById('timeline').scrollTop = 1e6")
    expect(page.get_by_text("pesan 810 ")).to_be_attached()
    expect(page.get_by_text("baru saja")).to_have_count(0)
    page.locator("#jump").click()
    expect(page.get_by_text("baru saja")).to_be_in_viewport()


def test_a_conversation_opened_at_an_older_message_reaches_its_end(
    open_as: OpenAs, other_members: OtherMembers
) -> None:
    other_members.reset_rate_limit()
    first = other_members.say("awal sekali")
    for n in range(6):
        other_members.reset_rate_limit()
        other_members.say(*(f"isi {n} {m}" for m in range(10)))
    other_members.reset_rate_limit()
    page = open_as("member", f"{CHAT}?around={first}#pesan-{first}")
    expect(page.get_by_text("awal sekali")).to_be_in_viewport()
    other_members.say("kabar")
    expect(page.get_by_text("kabar")).to_have_count(0)
    page.evaluate("document.getElementById('timeline').scrollTop = 1e6")
    expect(page.get_by_text("kabar")).to_be_attached()
    assert other_members.unread() > 0
    other_members.say("lagi")
    expect(page.get_by_text("lagi", exact=True)).to_be_attached()
    page.evaluate("document.getElementById('timeline').scrollTop = 1e6")
    wait_until(lambda: other_members.unread() == 0, 30, "all messages are read")


def test_the_address_of_a_message_that_does_not_exist_says_so(
    open_as: OpenAs, other_members: OtherMembers
) -> None:
    newest = other_members.say("satu", "dua")
    page = open_as("member", f"{CHAT}#pesan-{newest + 1000}")
    expect(page.locator(".toast")).to_have_text("Pesan ini tidak ada.")
    expect(page.get_by_text("dua", exact=True)).to_be_in_viewport()


def test_a_message_is_sent_from_its_page_if_the_local_storage_is_full(
    open_as: OpenAs,
    many_messages: None,  # noqa: F811
) -> None:
    page = open_as("member", f"{CHAT}?around=100#pesan-100")
    address = page.url
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    page.fill("#draft", "hanya di memori")
    page.keyboard.press("Enter")
    sent = page.locator(".message[data-state=sent]", has_text="hanya di memori")
    expect(sent).to_have_count(1)
    assert page.url == address


def test_the_browser_asks_before_a_new_page_loses_messages_that_are_only_in_memory(
    open_as: OpenAs,
    many_messages: None,  # noqa: F811
    console_errors: list[str],
) -> None:
    page = open_as("member", f"{CHAT}?around=100#pesan-100")
    page.wait_for_selector("html[data-stream=open]")
    address = page.url
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    page.route("**/messages", lambda route: route.abort())
    page.fill("#draft", "hanya di memori")
    page.keyboard.press("Enter")
    message = page.locator(".message", has_text="hanya di memori")
    expect(message).to_contain_text("menunggu jaringan")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.locator("#jump").click()
    wait_until(lambda: asked or page.wait_for_timeout(50), 30, "the question")
    expect(message).to_have_count(1)
    assert (page.url, asked) == (address, ["beforeunload"])
    page.unroute("**/messages")
    expect(message).to_have_attribute("data-state", "sent", timeout=40_000)
    page.locator("#jump").click()
    page.wait_for_url(f"**{CHAT}")
    assert len(asked) == 1
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]


def test_sending_a_message_among_older_messages_opens_the_end(
    open_as: OpenAs,
    many_messages: None,  # noqa: F811
) -> None:
    page = open_as("member", f"{CHAT}?around=100#pesan-100")
    expect(page.get_by_text("pesan 100 ")).to_be_in_viewport()
    page.fill("#draft", "jawaban terlambat")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{CHAT}")
    sent = page.locator('.message[data-state="sent"]', has_text="jawaban terlambat")
    expect(sent).to_be_in_viewport()
    expect(sent).to_have_count(1)


def test_a_deleted_result_vanishes_and_an_edited_one_is_searched_again(
    app: Flask, people: dict[str, int], open_as: OpenAs, other_members: OtherMembers
) -> None:
    deleted, edited = other_members.say("rapat pagi"), other_members.say("rapat sore")
    page = open_as("member", "/ukm/search?q=rapat")
    hits = page.locator("[data-message]")
    expect(hits).to_have_count(2)
    with app.app_context():
        messages.delete(people["friend"], UKM, deleted)
    expect(hits).to_have_count(1)
    with app.app_context():
        messages.edit(people["friend"], UKM, edited, "jadi libur")
    expect(hits).to_have_count(0)
    expect(page.get_by_text("Tidak ada pesan yang cocok")).to_be_visible()


def test_the_page_reloads_when_the_person_is_removed_not_when_an_admin_mutes_them(
    app: Flask,
    people: dict[str, int],
    open_as: OpenAs,
    other_members: OtherMembers,
    console_errors: list[str],
) -> None:
    found = other_members.say("rapat pagi")
    other_members.update_membership("friend", is_admin=True)
    page = open_as("member", f"/ukm/{UKM}/search?q=rapat")
    page.get_by_role("searchbox").fill("yang sedang diketik")
    page.wait_for_selector("html[data-stream=open]")
    with app.app_context():
        friend = Actor("Farhan Hakim", people["friend"])
        moderation.mute(friend, UKM, people["member"], utcnow() + timedelta(hours=1))
        messages.edit(people["friend"], UKM, found, "rapat pagi sekali")
    expect(page.locator("[data-message]")).to_contain_text("sekali")
    expect(page.get_by_role("searchbox")).to_have_value("yang sedang diketik")
    other_members.remove("member")
    expect(page.get_by_role("searchbox")).to_have_count(0)
    console_errors[:] = [line for line in console_errors if "status of 404" not in line]


@pytest.mark.parametrize("path", ["/ukm", CHAT])
def test_the_search_works_on_a_phone(open_as: OpenAs, path: str) -> None:
    page = open_as("member", path, PHONE)
    page.keyboard.press("Control+/")
    if path == CHAT:
        page.wait_for_url(f"**/ukm/{UKM}/search")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("'; DROP TABLE chat_message; --")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tidak ada pesan yang cocok")).to_be_visible()
