"""The log's page in a browser: lines, a line opened, following."""

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


def test_lines_open_lead_on_and_follow(shipper: LogShipper, open_as: Callable[..., Page]) -> None:
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
    expect(lines).to_have_count(3)  # all of that run, and none of the others
