"""A long conversation: the browser renders few messages, and older ones load without a jump."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect
from sqlalchemy import insert

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.ukm import memberships
from myukm.models import ChatMessage
from tests.browser.conftest import PHONE, OtherMembers
from tests.support.people import UKM
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
MANY = 5000
RENDERED = """
  [...document.querySelectorAll('.message-chunk > .message')]
    .filter((message) => message.checkVisibility({ contentVisibilityAuto: true })).length
"""
LOAD_ALL = """
  async (count) => {
    const box = document.getElementById('timeline');
    const loaded = document.getElementsByClassName('message');
    const deadline = performance.now() + 240000;
    while (loaded.length < count && performance.now() < deadline) {
      const had = loaded.length;
      box.scrollTop = 0;
      while (loaded.length === had && performance.now() < deadline)
        await new Promise((done) => setTimeout(done, 5));
    }
    return loaded.length;
  }
"""


def write_silently(app: Flask, people: dict[str, int], first: int, last: int) -> None:
    """Store messages numbered `first` to `last`, as read by the member, without events."""
    with app.app_context(), transaction() as session:
        membership = memberships.get_membership(people["member"], UKM)
        rows = [
            {
                "ukm_id": membership.ukm_id,
                "user_id": people[("member", "friend")[n // 3 % 2]],
                "client_id": f"l{n}",
                "number": n,
                "body": f"pesan {n} " + "kata " * (n * 7 % 60),
                "created_at": utcnow() - timedelta(hours=1),
                "published_at": utcnow(),
            }
            for n in range(first, last + 1)
        ]
        session.execute(insert(ChatMessage), rows)
        membership.ukm.last_number = membership.read_number = last


@pytest.fixture
def many_messages(app: Flask, people: dict[str, int]) -> None:
    """5,000 messages of different lengths."""
    write_silently(app, people, 1, MANY)


def test_a_message_that_arrives_while_missed_messages_load_leaves_no_gap(
    app: Flask,
    people: dict[str, int],
    other_members: OtherMembers,
    open_as: OpenAs,
    console_errors: list[str],
) -> None:
    write_silently(app, people, 1, 3)
    mega = open_as("member", f"/ukm/{UKM}/chat", PHONE)
    mega.wait_for_selector('html[data-stream="open"]')
    write_silently(app, people, 4, 253)
    held: list[Route] = []

    def refuse_then_hold(route: Route) -> None:
        held.append(route)
        if len(held) == 1:
            route.fulfill(status=503)
        elif len(held) > 2:
            route.continue_()

    mega.route("**/messages?after=*", refuse_then_hold)
    for event in ("offline", "online"):  # the stream reconnects
        mega.evaluate(f"dispatchEvent(new Event('{event}'))")
    wait_until(lambda: len(held) == 2 or mega.wait_for_timeout(50), 30, "a second request")
    other_members.say("sela")
    expect(mega.get_by_text("sela", exact=True)).to_be_attached()
    held[1].continue_()
    expect(mega.locator(".message")).to_have_count(254)
    wait_until(lambda: other_members.unread() == 0, 30, "all messages are read")
    console_errors[:] = [line for line in console_errors if "503" not in line]


def test_loading_older_messages_does_not_move_the_messages_in_view(
    many_messages: None, open_as: OpenAs
) -> None:
    page = open_as("member", f"/ukm/{UKM}/chat", PHONE)
    page.wait_for_selector('html[data-stream="open"]')
    top = "document.querySelector('.message')"
    for _ in range(4):
        page.evaluate(f"window.first = {top}; first.scrollIntoView()")
        page.evaluate("window.was = first.getBoundingClientRect().top")
        expect(page.locator(".message").first).not_to_have_text(page.evaluate("first.innerText"))
        page.evaluate("new Promise((done) => setTimeout(done, 300))")
        assert page.evaluate("Math.abs(first.getBoundingClientRect().top - was)") < 2


def test_the_browser_renders_only_the_messages_in_view(
    many_messages: None, other_members: OtherMembers, open_as: OpenAs
) -> None:
    """This keeps long conversations smooth; bench/chat_rendering.py measures it."""
    page = open_as("member", f"/ukm/{UKM}/chat", PHONE)
    page.wait_for_selector('html[data-stream="open"]')
    assert page.evaluate(LOAD_ALL, MANY) == MANY
    page.evaluate("document.getElementById('timeline').scrollTop = 100000")
    page.wait_for_function(f"() => {RENDERED} < 400")
    page.locator("#jump").click()
    other_members.say("pesan ke 5001")
    expect(page.locator(".message").last).to_contain_text("5001")
    expect(page.locator(".message").last).to_be_in_viewport()
    page.wait_for_function(f"() => {RENDERED} < 400")
