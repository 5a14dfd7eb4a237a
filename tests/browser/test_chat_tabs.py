"""Several tabs of one browser share one stream, and each shows every message once."""

import contextlib
import os
import re
import signal
from collections.abc import Callable

from playwright.sync_api import Error, Page, Route, expect

from tests.browser.conftest import PHONE, OtherMembers
from tests.support.people import UKM
from tests.support.programs import WebServer
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
ROOM = f"/ukm/{UKM}/chat"
LIVE = 'html[data-stream="open"]'


def open_tabs(open_as: OpenAs, count: int, path: str = ROOM) -> list[Page]:
    tabs = [open_as("member", path, PHONE) for _ in range(count)]
    for tab in tabs:
        tab.wait_for_selector(LIVE)
    return tabs


def wait_for_one_stream(other_members: OtherMembers) -> None:
    """Wait until the member has one stream; the stream of a closed page ends a little later."""
    wait_until(lambda: other_members.streams() == 1, 30, "one stream is left")


def test_seven_tabs_have_one_stream_and_each_message_once(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    tabs = open_tabs(open_as, 7)
    wait_for_one_stream(other_members)
    other_members.say("satu", "dua")
    for tab in tabs:
        expect(tab.locator(".message-text")).to_have_text(["satu", "dua"])
    texts = ["satu", "dua"]
    while len(tabs) > 1:  # closes the leader each time, because it is the oldest tab
        tabs.pop(0).close()
        texts += [f"tanpa {len(tabs)}a", f"tanpa {len(tabs)}b"]
        other_members.say(*texts[-2:])
        for tab in tabs:
            expect(tab.locator(".message-text")).to_have_text(texts)
            expect(tab.locator("#live-line")).to_be_hidden()
    wait_for_one_stream(other_members)


def test_a_tab_that_opens_later_shows_the_same_unread_count(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    (first,) = open_tabs(open_as, 1, "/profile")
    other_members.say("satu", "dua", "tiga")
    expect(first).to_have_title(re.compile(r"^\(3\) "))
    (second,) = open_tabs(open_as, 1, "/profile")
    expect(second).to_have_title(re.compile(r"^\(3\) "))
    wait_for_one_stream(other_members)


def test_a_tab_takes_over_the_stream_of_a_frozen_tab(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    frozen, awake = open_tabs(open_as, 2)
    cdp = frozen.context.new_cdp_session(frozen)
    cdp.send("Page.setWebLifecycleState", {"state": "frozen"})
    other_members.say("satu")
    awake.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(awake.locator(".message-text")).to_have_text(["satu"])
    cdp.send("Page.setWebLifecycleState", {"state": "active"})
    other_members.say("dua")
    for tab in (frozen, awake):
        expect(tab.locator(".message-text")).to_have_text(["satu", "dua"])
    wait_for_one_stream(other_members)


def test_a_visible_tab_takes_over_from_a_hidden_one_that_lost_the_stream(
    other_members: OtherMembers, open_as: OpenAs, web: WebServer, console_errors: list[str]
) -> None:
    hidden, seen = open_tabs(open_as, 2)
    hidden.evaluate("Object.defineProperty(document, 'hidden', { get: () => true })")
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    hidden.context.new_cdp_session(hidden).send("Network.emulateNetworkConditions", offline)
    os.kill(web.child.pid, signal.SIGHUP)  # a warm restart: the stream ends
    wait_until(lambda: hidden.title() and any("/stream" in each for each in console_errors), 30)
    expect(seen.locator("html")).to_have_attribute("data-stream", "open")
    other_members.say("satu")
    expect(seen.locator(".message-text")).to_have_text(["satu"])
    expect(seen.locator("#live-line")).to_be_hidden()
    wait_for_one_stream(other_members)
    hidden.close()
    # The hidden tab is offline; a process that shuts down refuses a stream with 503.
    expected = ("ERR_INTERNET_DISCONNECTED", "/stream")
    console_errors[:] = [e for e in console_errors if not any(part in e for part in expected)]


def test_another_tab_takes_over_the_stream_of_a_crashed_tab(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    crashed, other = open_tabs(open_as, 2)
    with contextlib.suppress(Error):
        crashed.goto("chrome://crash")
    other_members.say("satu", "dua")
    expect(other.locator(".message-text")).to_have_text(["satu", "dua"])


def test_a_tab_that_missed_more_than_the_leader_buffers_loads_from_the_server(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    other_members.say("satu")
    (first,) = open_tabs(open_as, 1)
    other_members.say("dua")
    context = first.context
    context.route(
        "**/chat", lambda route: serve_changed_page(route, r'data-cursor="\d+"', 'data-cursor="0"')
    )
    with context.expect_event("request", lambda request: "messages?limit" in request.url):
        (late,) = open_tabs(open_as, 1)
    other_members.say("tiga")
    expect(late.locator(".message-text")).to_have_text(["satu", "dua", "tiga"])
    wait_for_one_stream(other_members)


def serve_changed_page(route: Route, pattern: str, replacement: str) -> None:
    """Answer with the server's page, in which `pattern` is replaced."""
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(pattern, replacement, answer.text()))


def test_without_web_locks_each_tab_has_its_own_stream(
    other_members: OtherMembers, open_as: OpenAs
) -> None:
    context = open_as("member", "/profile").context
    context.add_init_script("delete Navigator.prototype.locks")
    tabs = open_tabs(open_as, 2)
    other_members.say("satu")
    for tab in tabs:
        expect(tab.locator(".message-text")).to_have_text(["satu"])
    assert other_members.streams() >= 2


def test_a_message_that_one_tab_discards_disappears_in_all_tabs(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    first = open_as("member", ROOM, PHONE)
    first.context.route("**/messages", lambda route: route.fulfill(status=422, json={}))
    first.fill("#draft", "salah")
    first.keyboard.press("Enter")
    expect(first.locator(".message")).to_have_attribute("data-state", "failed")
    second = open_as("member", ROOM, PHONE)
    expect(second.locator(".message")).to_have_attribute("data-state", "failed")
    second.get_by_role("button", name="Buang").click()
    for tab in (second, first):
        expect(tab.locator(".message")).to_have_count(0)
    console_errors[:] = [each for each in console_errors if "422" not in each]


def test_a_log_out_in_one_tab_logs_all_tabs_out(open_as: OpenAs, console_errors: list[str]) -> None:
    tabs = open_tabs(open_as, 3)
    tabs[1].evaluate("document.querySelector('form[action=\"/logout\"]').submit()")
    for tab in tabs:  # to_have_url: the end of the stream may replace the navigation of the form
        expect(tab).to_have_url(re.compile("/login"))
        tab.wait_for_load_state("load")
    console_errors[:] = [each for each in console_errors if "401" not in each]


def test_only_visible_tabs_report_activity(open_as: OpenAs) -> None:
    activity_reports: list[str] = []
    first = open_as("member", "/profile", PHONE)
    first.context.on(
        "request",
        lambda request: (
            activity_reports.append(request.url) if request.url.endswith("/presence") else None
        ),
    )
    first.evaluate("localStorage.clear()")
    tabs = open_tabs(open_as, 3)
    tabs[1].keyboard.press("Shift")
    assert len(activity_reports) == 1  # once a minute for the whole browser
    hide = "Object.defineProperty(document, 'hidden', { get: () => true }); localStorage.clear()"
    for tab in tabs:
        tab.evaluate(hide)
        tab.keyboard.press("Shift")
    assert len(activity_reports) == 1
