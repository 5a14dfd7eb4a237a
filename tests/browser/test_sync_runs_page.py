"""A dry run, its changes, and the page of a run, in a browser."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect
from sqlalchemy import func, select

from devtools.simulator import Simulator
from myukm.domain.sync import progress
from myukm.extensions import db
from myukm.live import pubsub
from myukm.models import Siswa
from tests.browser.conftest import check_look
from tests.support import sync
from tests.support.programs import Program

OpenAs = Callable[..., Page]
PAGE = "/admin/sync-pembayaran"
STUDENTS = 200


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url, "PEMBAYARAN_API_TRIES": "1"}


@pytest.fixture
def campus(app: Flask, simulator: Simulator, start: Callable[..., Program]) -> Flask:
    """Two hundred students, six of whom the API does not know, and a worker."""
    with app.app_context():
        sync.create_students(STUDENTS)
        ids = db.session.scalars(select(Siswa.idperson).order_by(Siswa.idperson)).all()
    simulator.set(fail={"404": list(ids[:4]), "500": list(ids[4:6])})
    start("rq", "worker", "sync-pembayaran")
    return app


def begin(open_as: OpenAs, button: str) -> Page:
    page = open_as("bendahara", PAGE)
    page.wait_for_selector('[data-stream="open"]')
    page.get_by_role("button", name=button).click()
    expect(page.locator("#sync-status")).to_contain_text("Selesai")
    return page


def check_live_look(page: Page) -> None:
    page.wait_for_selector('[data-stream="open"]')
    check_look(page)


def test_a_dry_run_is_marked_and_lists_its_changes(open_as: OpenAs, campus: Flask) -> None:
    page = begin(open_as, "Uji coba")
    expect(page.locator("#dry-run")).to_be_visible()
    expect(page.locator("#sync-notice")).to_contain_text("194 siswa akan berubah")
    with campus.app_context():
        written = select(func.count(Siswa.id)).where(Siswa.synced_at.is_not(None))
        assert db.session.scalar(written) == 0
    page.locator("#run-link").click()
    page.get_by_role("link", name=re.compile("194 akan berubah")).click()
    expect(page.locator("tbody .group")).to_have_count(50)
    check_live_look(page)
    page.get_by_role("searchbox").fill("tidak-ada-yang-begitu")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Tidak ada perubahan yang cocok")).to_be_visible()


def test_the_page_of_a_run_shows_its_pace_and_retries_one_cause(
    open_as: OpenAs, campus: Flask, simulator: Simulator
) -> None:
    simulator.set(latency_ms="600")
    page = begin(open_as, "Mulai Sinkronisasi")
    expect(page.locator("#speed [data-line]")).to_have_attribute("d", re.compile("^M"))
    page.reload()
    expect(page.locator("#speed [data-failing]")).to_have_attribute("d", re.compile("^M"))
    page.locator("#run-link").click()
    expect(page.locator("#run-trail li")).to_have_count(2)
    expect(page.locator("#run-trail")).to_contain_text("Budi Santoso")
    expect(page.locator("#speed [data-line]")).to_have_attribute("d", re.compile("^M"))
    check_live_look(page)
    simulator.set(fail={}, latency_ms="5")
    page.get_by_role("button", name="Ulangi 4 siswa ini").click()
    page.wait_for_url("**/admin/sync-pembayaran")
    expect(page.locator("#sync-status")).to_contain_text("Selesai")
    expect(page.locator("#sync dd[data-slot=success]")).to_have_text("4")


def test_the_page_of_a_student_lists_the_changes(open_as: OpenAs, campus: Flask) -> None:
    page = begin(open_as, "Mulai Sinkronisasi")
    page.goto(page.url.replace("/sync-pembayaran", "/siswa/100009"))
    expect(page.locator("#siswa-history tbody tr")).to_have_count(1)
    expect(page.locator("#siswa-history")).to_contain_text("Pertama kali diambil")
    check_live_look(page)


def test_quarantined_answers_are_shown_and_a_person_accepts_them(
    open_as: OpenAs, campus: Flask, simulator: Simulator
) -> None:
    page = begin(open_as, "Mulai Sinkronisasi")
    simulator.set(fail={"empty": 0.5})
    page.get_by_role("button", name="Mulai Sinkronisasi").click()
    expect(page.locator("#sync-status")).to_contain_text("Dijeda")
    expect(page.locator("#guard tbody tr")).to_have_count(10)
    expect(page.get_by_role("button", name="Lanjutkan")).to_be_hidden()
    check_live_look(page)
    calls: list[Route] = []

    def hold(route: Route) -> None:
        calls.append(route)

    page.route("**/resume", hold)
    accept = page.get_by_role("button", name="Terima")
    accept.click()
    page.locator("dialog[open]").get_by_role("button", name="Terima").click()
    expect(accept).to_be_disabled()
    # An event replaces the list and its buttons while the answer is awaited.
    page.evaluate("document.getElementById('guard').dataset.old = ''")
    with campus.app_context():
        event = progress.current() | {"workers": 5}
        pubsub.publish_transient("sync", "sync.progress", event)
    page.wait_for_selector("#guard:not([data-old])")
    expect(accept).to_be_disabled()
    (call,) = calls
    call.continue_()
    expect(page.locator("#sync-status")).to_contain_text("Selesai")
    expect(page.locator("#guard tbody tr")).to_have_count(0)
