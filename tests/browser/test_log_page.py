"""The page of the log in a browser: its lines, the details of a line, and new lines."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from myukm.logs import context
from myukm.logs.shipper import LogShipper
from tests.browser.conftest import PHONE, check_look

logger = logging.getLogger("myukm.tests.browser")

WATCH_STATE = """() => {
    window.changes = 0;
    new MutationObserver(() => { window.changes += 1; })
        .observe(document.getElementById("log-state"), { childList: true, characterData: true });
}"""


@pytest.fixture
def shipper(app: Flask) -> Iterator[LogShipper]:
    handler = LogShipper(app.config["REDIS_URL"], "worker")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)


def log(shipper: LogShipper, *lines: tuple[int, str], **about: Any) -> None:
    with context.of_job(**about):
        for level, text in lines:
            error = OSError("Connection refused") if level == logging.ERROR else None
            logger.log(level, text, exc_info=error)
    shipper.flush()


def test_lines_keep_their_time_and_are_listed_once(
    shipper: LogShipper, open_as: Callable[..., Page]
) -> None:
    log(shipper, (logging.INFO, "payment API: works again"))
    page = open_as("operator", "/admin/log?q=payment")
    time = page.locator("#log-lines time")
    shown = time.inner_text()
    page.clock.install()
    page.reload()
    page.clock.fast_forward(60_000)  # the page's other times become "1 menit yang lalu"
    expect(time).to_have_text(shown)
    page.get_by_role("button", name="Ikuti").click()
    expect(page.locator("#log-state")).not_to_be_empty()
    page.evaluate(WATCH_STATE)
    log(shipper, (logging.INFO, "payment API: a new line"))
    with page.expect_response("**/admin/log?*"):
        page.clock.fast_forward(2000)
        for _back in range(3):
            page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#log-lines > li")).to_have_count(2)
    page.wait_for_timeout(300)  # for responses to requests that must not be sent
    expect(page.locator("#log-lines > li")).to_have_count(2)
    assert page.evaluate("changes") == 0


def test_a_line_opens_and_links_to_its_run_and_new_lines_appear(
    shipper: LogShipper, open_as: Callable[..., Page]
) -> None:
    log(
        shipper,
        (logging.INFO, "sync-pembayaran: *** Listening on sync-pembayaran..."),
        (logging.WARNING, "the payment API is down: 31 of 40 requests failed (connection)"),
        (logging.ERROR, "payment API: an answer raised an unexpected error"),
        job="5b0f3c7e-9c1a-4d55-8a31-0f7a4a1c2e11",
        run=12,
    )
    page = open_as("operator", "/admin/log?q=payment", PHONE)
    lines = page.locator("#log-lines > li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("unexpected error")
    lines.first.locator("summary").click()
    expect(lines.first.locator("pre")).to_contain_text("Connection refused")
    check_look(page)
    page.get_by_role("button", name="Ikuti").click()
    expect(page.locator("#log-state")).to_have_text("Baris baru muncul sendiri.")
    log(shipper, (logging.INFO, "payment API: works again after 31 s"), (logging.INFO, "else"))
    expect(lines).to_have_count(3)
    expect(lines.first).to_contain_text("works again")
    page.get_by_role("button", name="Berhenti mengikuti").click()
    expect(page.locator("#log-state")).to_be_empty()
    lines.nth(1).get_by_role("link", name="12").click()
    expect(lines).to_have_count(3)  # the lines of that run only
