"""Drafts and unsent messages are deleted when their author logs out or another person logs in."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.browser.conftest import (
    PHONE,
    OtherMembers,
    check_current_look,
    drop_stream_errors,
    submit_log_in,
)
from tests.browser.test_chat_files import choose, stored_files
from tests.support.files import PDF
from tests.support.people import UKM
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
ROOM = f"/ukm/{UKM}/chat"
STORED = """Object.keys(localStorage)
    .filter((key) => key.startsWith("draft:") || key.startsWith("outbox:"))
    .map((key) => key.split(":")[0]).sort()"""


@pytest.fixture
def room(open_as: OpenAs, console_errors: list[str]) -> Iterator[Page]:
    """Mega's room, with a draft."""
    page = open_as("member", ROOM, PHONE)
    page.get_by_role("textbox").fill("masih rahasia")
    assert page.evaluate(STORED) == ["draft"]
    yield page
    drop_stream_errors(console_errors)


def send_in_vain(page: Page, text: str) -> None:
    """Submit a message that does not reach the server, and write the next draft."""
    page.route("**/messages", lambda route: route.abort())
    page.get_by_role("textbox").fill(text)
    page.get_by_role("textbox").press("Enter")
    expect(page.get_by_role("log")).to_contain_text("menunggu jaringan")
    page.get_by_role("textbox").fill("masih rahasia")
    assert page.evaluate(STORED) == ["draft", "outbox"]


def press_log_out(page: Page) -> None:
    page.goto(page.url.replace(ROOM, "/profile"))
    page.get_by_role("button", name="Keluar", exact=True).click()


def test_a_log_out_deletes_the_draft(room: Page) -> None:
    press_log_out(room)
    room.wait_for_url("**/login")
    expect(room.locator("body[data-nobody]")).to_be_attached()
    assert room.evaluate(STORED) == []


def test_a_slow_log_out_opens_the_log_in_page_though_the_stream_ends_first(room: Page) -> None:
    held: list[tuple[Route, APIResponse]] = []
    room.route("**/logout", lambda route: held.append((route, route.fetch(max_redirects=0))))
    room.goto(room.url.replace(ROOM, "/profile"))
    button = room.get_by_role("button", name="Keluar", exact=True)
    with room.expect_response(lambda answer: answer.request.method == "HEAD"):
        button.evaluate("button => button.click()")  # `click()` would wait for the next page
    ((route, answer),) = held
    route.fulfill(response=answer)
    room.wait_for_url("**/login")
    assert room.evaluate(STORED) == []


def test_a_log_out_asks_before_it_deletes_unsent_messages(
    room: Page, console_errors: list[str]
) -> None:
    send_in_vain(room, "belum terkirim")
    press_log_out(room)
    question = room.locator("#confirm-unsent")
    expect(question).to_be_visible()
    room.emulate_media(reduced_motion="reduce")
    check_current_look(room)
    question.get_by_role("button", name="Batal").click()
    assert room.evaluate(STORED) == ["draft", "outbox"]
    room.get_by_role("button", name="Keluar", exact=True).click()
    question.get_by_role("button", name="Keluar").click()
    room.wait_for_url("**/login")
    assert room.evaluate(STORED) == []
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]


def test_an_ended_session_deletes_the_draft_and_keeps_unsent_messages(
    room: Page, other_members: OtherMembers, console_errors: list[str]
) -> None:
    send_in_vain(room, "menunggu saya")
    room.context.clear_cookies()
    room.reload()
    expect(room.locator("body[data-nobody]")).to_be_attached()
    assert room.evaluate(STORED) == ["outbox"]
    room.unroute("**/messages")
    submit_log_in(room, "member")
    expect(room.locator('.message[data-state="sent"]')).to_contain_text("menunggu saya")
    expect(room.get_by_role("textbox")).to_have_value("")
    expected = re.compile("ERR_FAILED|status of 401")
    console_errors[:] = [line for line in console_errors if not expected.search(line)]


def test_an_ended_session_deletes_the_files_of_the_draft_and_keeps_unsent_ones(
    room: Page, tmp_path: Path, console_errors: list[str]
) -> None:
    (tmp_path / "notulen.pdf").write_bytes(PDF)
    choose(room, tmp_path / "notulen.pdf")
    send_in_vain(room, "berkasnya")
    choose(room, tmp_path / "notulen.pdf")
    wait_until(lambda: stored_files(room) == 2, 30, "both files are stored")
    room.context.clear_cookies()
    room.reload()
    expect(room.locator("body[data-nobody]")).to_be_attached()
    wait_until(lambda: stored_files(room) == 1, 30, "the unsent file is left")
    room.unroute("**/messages")
    submit_log_in(room, "member")
    expect(room.locator('.message[data-state="sent"] a.file-document[href]')).to_be_visible()
    expect(room.locator(".attached-file")).to_have_count(0)
    expected = re.compile("ERR_FAILED|status of 401")
    console_errors[:] = [line for line in console_errors if not expected.search(line)]


def test_after_a_cancelled_log_out_an_ended_session_keeps_unsent_messages(
    room: Page, console_errors: list[str]
) -> None:
    send_in_vain(room, "menunggu saya")
    press_log_out(room)
    room.locator("#confirm-unsent").get_by_role("button", name="Batal").click()
    room.context.clear_cookies()
    room.get_by_role("link", name="Atur pemberitahuan").click()
    room.wait_for_url(re.compile("/login"))  # also waits for its scripts
    expect(room.locator("body[data-nobody]")).to_be_attached()
    assert room.evaluate(STORED) == ["outbox"]
    console_errors[:] = [line for line in console_errors if "ERR_FAILED" not in line]


def test_the_log_in_of_another_account_deletes_all_texts(
    room: Page, console_errors: list[str]
) -> None:
    send_in_vain(room, "bukan untuk Farhan")
    room.context.clear_cookies()
    room.reload()
    submit_log_in(room, "friend")
    room.wait_for_selector("html[data-stream=open] #chat[data-author-name='Farhan Hakim']")
    assert room.evaluate(STORED) == []
    expected = re.compile("ERR_FAILED|status of 401")
    console_errors[:] = [line for line in console_errors if not expected.search(line)]


def test_an_error_page_deletes_nothing(room: Page, console_errors: list[str]) -> None:
    room.goto(room.url.replace("/chat", "/no-such-page"))
    expect(room.locator("html")).to_contain_text("404")
    assert room.evaluate(STORED) == ["draft"]
    console_errors[:] = [line for line in console_errors if "404" not in line]
