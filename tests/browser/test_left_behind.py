"""What people wrote and did not send leaves a shared browser with them."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import (
    PHONE,
    OtherMembers,
    drop_refused_streams,
    give_password,
    looks_right,
)
from tests.support.people import UKM

OpenAs = Callable[..., Page]
ROOM = f"/ukm/{UKM}/chat"
TEXTS = """Object.keys(localStorage)
    .filter((key) => key.startsWith("draft:") || key.startsWith("outbox:"))
    .map((key) => key.split(":")[0]).sort()"""


@pytest.fixture
def room(open_as: OpenAs, console_errors: list[str]) -> Iterator[Page]:
    """Mega's room, with a draft."""
    page = open_as("member", ROOM, PHONE)
    page.get_by_role("textbox").fill("masih rahasia")
    assert page.evaluate(TEXTS) == ["draft"]
    yield page
    drop_refused_streams(console_errors)


def cut_off(page: Page, text: str) -> None:
    """Send a message that does not reach the server, and begin the next."""
    page.route("**/messages", lambda route: route.abort())
    page.get_by_role("textbox").fill(text)
    page.get_by_role("textbox").press("Enter")
    expect(page.get_by_role("log")).to_contain_text("menunggu jaringan")
    page.get_by_role("textbox").fill("masih rahasia")
    assert page.evaluate(TEXTS) == ["draft", "outbox"]


def press_log_out(page: Page) -> None:
    page.goto(page.url.replace(ROOM, "/profile"))
    page.get_by_role("button", name="Keluar", exact=True).click()


def test_a_log_out_takes_the_draft_along(room: Page) -> None:
    press_log_out(room)
    room.wait_for_url("**/login")
    expect(room.locator("body[data-nobody]")).to_be_attached()
    assert room.evaluate(TEXTS) == []


def test_a_slow_log_out_ends_on_its_own_page_though_the_stream_ends_first(room: Page) -> None:
    held: list[tuple[Route, APIResponse]] = []
    room.route("**/logout", lambda route: held.append((route, route.fetch(max_redirects=0))))
    room.goto(room.url.replace(ROOM, "/profile"))
    button = room.get_by_role("button", name="Keluar", exact=True)
    with room.expect_response(lambda answer: answer.request.method == "HEAD"):
        button.evaluate("button => button.click()")  # `click()` would wait for the next page
    ((route, answer),) = held
    route.fulfill(response=answer)
    room.wait_for_url("**/login")
    assert room.evaluate(TEXTS) == []


def test_unsent_messages_are_lost_only_after_a_question(
    room: Page, console_errors: list[str]
) -> None:
    cut_off(room, "belum terkirim")
    press_log_out(room)
    question = room.locator("#confirm-unsent")
    expect(question).to_be_visible()
    room.emulate_media(reduced_motion="reduce")
    looks_right(room)
    question.get_by_role("button", name="Batal").click()
    assert room.evaluate(TEXTS) == ["draft", "outbox"]
    room.get_by_role("button", name="Keluar", exact=True).click()
    question.get_by_role("button", name="Keluar").click()
    room.wait_for_url("**/login")
    assert room.evaluate(TEXTS) == []
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]


def test_a_log_in_that_ended_elsewhere_leaves_what_was_sent_off_to_its_author(
    room: Page, other_members: OtherMembers, console_errors: list[str]
) -> None:
    cut_off(room, "menunggu saya")
    room.context.clear_cookies()
    room.reload()
    expect(room.locator("body[data-nobody]")).to_be_attached()
    assert room.evaluate(TEXTS) == ["outbox"]
    room.unroute("**/messages")
    give_password(room, "member")
    expect(room.locator('.message[data-state="sent"]')).to_contain_text("menunggu saya")
    expect(room.get_by_role("textbox")).to_have_value("")
    expected = re.compile("ERR_FAILED|status of 401")
    console_errors[:] = [line for line in console_errors if not expected.search(line)]


def test_a_cancelled_log_out_does_not_count_when_the_session_ends_elsewhere(
    room: Page, console_errors: list[str]
) -> None:
    cut_off(room, "menunggu saya")
    press_log_out(room)
    room.locator("#confirm-unsent").get_by_role("button", name="Batal").click()
    room.context.clear_cookies()
    room.get_by_role("link", name="Atur pemberitahuan").click()
    room.wait_for_url(re.compile("/login"))  # with its scripts, which a click does not wait for
    expect(room.locator("body[data-nobody]")).to_be_attached()
    assert room.evaluate(TEXTS) == ["outbox"]
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]


def test_nothing_is_left_for_who_logs_in_next(room: Page, console_errors: list[str]) -> None:
    cut_off(room, "bukan untuk Farhan")
    room.context.clear_cookies()
    room.reload()
    give_password(room, "friend")
    room.wait_for_selector("html[data-stream=open] #chat[data-name='Farhan Hakim']")
    assert room.evaluate(TEXTS) == []
    expected = re.compile("ERR_FAILED|status of 401")
    console_errors[:] = [line for line in console_errors if not expected.search(line)]


def test_an_error_page_takes_nothing(room: Page, console_errors: list[str]) -> None:
    room.goto(room.url.replace("/chat", "/no-such-page"))
    expect(room.locator("html")).to_contain_text("404")
    assert room.evaluate(TEXTS) == ["draft"]
    console_errors[:] = [line for line in console_errors if "404" not in line]
