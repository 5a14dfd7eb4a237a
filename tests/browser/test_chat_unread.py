"""Unread messages: the room opens at the first, and only messages in view become read."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, OtherMembers, check_look
from tests.browser.test_chat_page import open_room
from tests.browser.test_chat_talk import choose_action, message
from tests.support.people import UKM
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]


def say_many(others: OtherMembers, count: int) -> None:
    """Post "baru 0", "baru 1" … in batches below the rate limit."""
    for first in range(0, count, 18):
        others.say(*[f"baru {n}" for n in range(first, min(first + 18, count))])
        others.reset_rate_limit()


def test_more_than_fifty_unread_messages_become_read_only_when_they_are_in_view(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    say_many(other_members, 72)
    mega = open_room(open_as, "member")
    bar = mega.locator("#unread-bar")
    expect(bar).to_contain_text("72 pesan belum dibaca")
    mega.wait_for_timeout(1200)  # longer than a visible message needs to become read
    assert other_members.unread() == 72
    check_look(mega)
    mega.set_viewport_size(PHONE)
    bar.get_by_role("button", name="72 pesan").click()
    expect(message(mega, "baru 0")).to_be_in_viewport()
    expect(mega.locator(".message-new:visible")).to_have_count(1)
    expect(bar).to_be_hidden()
    wait_until(lambda: 50 < other_members.unread() < 72, 30, "only messages in view are read")
    mega.locator("#jump").click()
    wait_until(lambda: other_members.unread() == 0, 30, "all messages are read")


def test_all_messages_are_marked_read_and_one_unread_again(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    say_many(other_members, 54)
    mega = open_room(open_as, "member")
    mega.get_by_role("button", name="Tandai dibaca").click()
    wait_until(lambda: other_members.unread() == 0, 30, "all are read")
    expect(mega.locator("#unread-bar")).to_be_hidden()
    choose_action(mega, "baru 52", "Tandai belum dibaca")
    expect(mega.locator("#toasts")).to_contain_text("Ditandai belum dibaca")
    expect(message(mega, "baru 52").locator(".message-new")).to_be_visible()
    mega.locator("#timeline").evaluate("box => box.scrollTo(0, 0)")
    mega.locator("#timeline").evaluate("box => box.scrollTo(0, box.scrollHeight)")
    mega.wait_for_timeout(1200)
    assert other_members.unread() == 2
    mega.goto(mega.url.replace(f"/{UKM}/chat", ""))
    expect(mega.locator("[data-unread]").first).to_have_text("2 pesan belum dibaca")


def test_one_list_links_to_mentions_and_replies(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    asked = other_members.say("kapan rapat?", who="member")
    other_members.say("@Mega tolong bawa kunci", "bukan untuk Mega")
    other_members.say("besok", reply_to=asked)
    mega = open_as("member", "/ukm", PHONE)
    mega.get_by_role("link", name="Sebutan").click()
    entries = mega.locator(".mention-text")
    expect(entries).to_have_text(["besok", "@Mega tolong bawa kunci"])
    check_look(mega)
    mega.get_by_role("link", name="Farhan Hakim").last.click()
    expect(message(mega, "@Mega tolong")).to_be_focused()
