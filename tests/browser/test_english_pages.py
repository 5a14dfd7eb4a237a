"""An English page shows in English what an Indonesian campus has stored and published."""

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from devtools.simulator.client import Simulator
from myukm.domain.actor import Actor
from myukm.domain.sync import commands
from myukm.ops import doctor
from myukm.ops.alerts.monitor import record_of
from myukm.ops.alerts.records import Records
from myukm.ops.health_publisher import HealthPublisher
from tests.support.programs import Program
from tests.support.sync import load_roster

OpenAs = Callable[..., Page]
PAGE = "/admin/sync-pembayaran"
LIVE = '[data-stream="open"]'


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url, "PEMBAYARAN_API_TRIES": "1"}


@pytest.fixture
def refused(app: Flask, simulator: Simulator) -> None:
    """Three students, of whom the API refuses one."""
    load_roster(app, simulator, refused=1, most=3)


def in_english(open_as: OpenAs, who: str, path: str) -> Page:
    """Open a page, and switch its language."""
    page = open_as(who, path)
    answer = page.context.request.post(
        urljoin(page.url, "/language"), form={"lang": "en", "next": path}
    )
    assert answer.ok
    page.reload()
    page.wait_for_selector(LIVE)
    return page


def test_the_log_of_a_run_and_its_failures_are_in_english(
    open_as: OpenAs, refused: None, start: Callable[..., Program]
) -> None:
    page = in_english(open_as, "bendahara", PAGE)
    page.get_by_role("button", name="Start sync").click()
    expect(page.locator("#sync-notice")).to_contain_text("no worker is listening")
    start("rq", "worker", "sync-pembayaran")
    expected = (
        "Started by",
        "Students to sync: 3.",
        "does not know this student (HTTP 404).",
        "Finished. Students succeeded: 2, failed: 1.",
    )
    for _source in ("stream", "page"):
        for text in expected:
            expect(page.locator("#log")).to_contain_text(text)
        expect(page.locator("#log")).not_to_contain_text("siswa")
        page.reload()
    page.locator("#run-link").click()
    expect(page.locator("#run-failures td").first).to_contain_text("does not know this student")


def test_findings_and_alerts_are_in_english(open_as: OpenAs, app: Flask) -> None:
    page = in_english(open_as, "operator", "/admin/antrian")
    shown = page.locator("#findings")
    expect(shown).to_contain_text("No worker is listening")
    expect(shown).to_contain_text("Run: ./run worker")
    with app.app_context():
        HealthPublisher().publish()
        finding = next(each for each in doctor.examine().findings if each.code == "no_worker")
        records = Records()
        records.put(record_of(finding.key, finding))
        records.store()
    expect(page.locator("#toasts")).to_contain_text("No worker is listening")
    expect(page.locator(".toast")).to_have_count(0)  # a toast would cover the finding
    expect(shown).to_contain_text("Run: ./run worker")
    page.reload()
    row = page.locator("tr", has=page.locator("code", has_text="no_worker"))
    expect(row).to_contain_text("No worker is listening")


def test_an_indonesian_page_stays_indonesian(app: Flask, refused: None, open_as: OpenAs) -> None:
    with app.app_context():
        commands.start(Actor("Budi"))
    page = open_as("bendahara", PAGE)
    expect(page.locator("#log")).to_contain_text("Dimulai oleh Budi.")
    expect(page.locator("#sync-notice")).to_contain_text("tidak ada worker yang mendengarkan")
