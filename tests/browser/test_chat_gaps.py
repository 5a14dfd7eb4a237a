"""Messages and events that a page missed are loaded later; failed requests lose nothing."""

import json
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from myukm.domain.actor import Actor
from myukm.domain.ukm import administration
from tests.browser.conftest import OtherMembers, miss_events
from tests.browser.test_chat_page import open_room
from tests.browser.test_chat_talk import message, open_read_room
from tests.browser.test_chat_unread import say_many
from tests.support.people import NAMES, UKM
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]


def close(page: Page, console_errors: list[str]) -> None:
    """Close the page, and drop the browser's errors about requests that the test let fail."""
    page.close()
    expected = ("ERR_FAILED", "status of 404")
    console_errors[:] = [e for e in console_errors if not any(part in e for part in expected)]


def test_resending_an_old_message_hides_no_newer_message(
    other_members: OtherMembers, open_as: OpenAs, people: dict[str, int]
) -> None:
    # The response to this message was lost, so that the message is still in the outbox.
    other_members.say("lama", who="member")
    say_many(other_members, 72)
    author = {"user_id": people["member"], "name": "Mega Lestari", "ukm": UKM, "reply_to": None}
    entry = {**author, "client_id": "f1", "message": "lama", "state": "pending"}
    outbox = json.dumps([{**entry, "created_at": "2026-11-29T10:00:00.000Z"}])
    profile = open_as("member", "/profile")
    profile.evaluate(
        "([key, text]) => localStorage.setItem(key, text)",
        [f"outbox:{people['member']}:{UKM}", outbox],
    )
    profile.close()
    mega = open_room(open_as, "member")
    mega.wait_for_function(
        "() => !Object.keys(localStorage).some((key) => key.startsWith('outbox'))"
    )
    expect(mega.locator(".message").first).not_to_contain_text("lama")
    expect(mega.locator("#unread-bar")).to_contain_text("72 pesan belum dibaca")
    mega.wait_for_timeout(1200)  # longer than a visible message needs to become read
    assert other_members.unread() == 72
    mega.locator("#timeline").evaluate("box => box.scrollTo(0, 0)")
    expect(mega.locator(".message")).to_have_count(73)
    expect(mega.locator(".message").first).to_contain_text("lama")


def test_a_member_removed_while_disconnected_sees_a_notice(
    other_members: OtherMembers, open_as: OpenAs, console_errors: list[str]
) -> None:
    mega = open_read_room(other_members, open_as, "halo")
    mega.route("**/stream?*", lambda route: route.abort())
    mega.evaluate("dispatchEvent(new Event('online'))")  # the page reconnects in vain
    wait_until(lambda: mega.title() and other_members.streams() == 0, 30, "the stream is gone")
    other_members.remove("member")
    mega.unroute("**/stream?*")
    miss_events(mega)
    expect(mega.locator("#closed")).to_contain_text("bukan lagi anggota")
    close(mega, console_errors)


def test_a_member_added_again_sees_the_messages_missed_meanwhile(
    other_members: OtherMembers, open_as: OpenAs, console_errors: list[str]
) -> None:
    mega = open_read_room(other_members, open_as, "sebelum")
    other_members.remove("member")
    expect(mega.locator("#closed")).to_contain_text("bukan lagi anggota")
    other_members.say("sementara")
    with other_members.app.app_context():
        admin = Actor(user_id=other_members.people["admin"], name="Siti Rahma")
        administration.add(UKM, NAMES["member"][0], by=admin)
    expect(mega.locator("#closed")).to_be_hidden()
    expect(mega.locator(".message-text")).to_have_text(["sebelum", "sementara"])
    other_members.say("sesudah")
    expect(mega.locator(".message-text")).to_have_text(["sebelum", "sementara", "sesudah"])
    close(mega, console_errors)


def test_a_failed_request_for_a_quoted_message_leaves_the_page_unchanged(
    other_members: OtherMembers, open_as: OpenAs, console_errors: list[str]
) -> None:
    first = other_members.say("yang pertama")
    say_many(other_members, 60)
    other_members.say("jawaban", reply_to=first)
    mega = open_room(open_as, "member")
    mega.fill("#draft", "belum selesai")
    address = mega.url
    mega.route("**/messages?before=*", lambda route: route.abort())
    message(mega, "jawaban").locator(".quote").click()
    expect(mega.locator(".toast").first).to_contain_text("tidak terjangkau")
    assert mega.url == address
    mega.unroute("**/messages?before=*")
    message(mega, "jawaban").locator(".quote").click()
    expect(message(mega, "yang pertama")).to_be_focused()
    expect(mega.locator("#draft")).to_have_value("belum selesai")
    close(mega, console_errors)


def test_reloading_the_list_does_not_undo_newer_events(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("lama")
    page = open_as("member", "/ukm")
    page.wait_for_selector('html[data-stream="open"]')
    held: list[Route] = []
    page.route("**/ukm", lambda route: held.append(route))  # noqa: PLW0108 (Playwright inspects its signature)
    miss_events(page)
    wait_until(lambda: held or page.wait_for_timeout(50), 30, "the list is requested")
    old_response = held[0].fetch()
    page.wait_for_selector('html[data-stream="open"]')
    other_members.say("terbaru")
    last = page.locator(f'[data-code={UKM}] [data-slot="last"]')
    expect(last).to_contain_text("terbaru")
    page.evaluate("document.getElementById('ukm-list').dataset.old = ''")
    held[0].fulfill(response=old_response)
    page.wait_for_selector("#ukm-list:not([data-old])")
    expect(last).to_contain_text("terbaru")
    expect(page.locator(f"[data-code={UKM}] [data-unread]")).to_have_text("2 pesan belum dibaca")
