"""The end of a run is announced on every open page of admins and treasurers, and notified."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.sync import commands, pausing, progress, transitions
from myukm.live import snapshots
from myukm.models import SyncRun
from myukm.models.sync import Status
from tests.browser.conftest import check_current_look, cut_stream, submit_log_in
from tests.support import sync
from tests.support.programs import WebServer
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]
# Records the notifications, because headless Chromium shows none.
RECORDER = """
    window.shown = [];
    window.Notification = class {
        static permission = "granted";
        static requestPermission() { return Promise.resolve("granted"); }
        constructor(title, { body }) { window.shown.push(`${title}: ${body}`); }
        addEventListener() {}
    };
"""


@pytest.fixture
def run_id(app: Flask, people: dict[str, int]) -> Iterator[int]:
    """A running sync that the treasurer started."""
    with app.app_context():
        sync.create_students(30)
        run = commands.start(Actor("Budi Santoso", people["bendahara"]))["run_id"]
        with transaction() as session:
            transitions.move(session, run, Status.RUNNING)
            counts = {"dispatched": True, "total": 30, "success": 3, "failed": 26}
            session.execute(update(SyncRun).where(SyncRun.id == run).values(**counts))
        yield run


def toast(page: Page) -> Locator:
    """The page's toast about the run; a page of an admin may also show an alert."""
    return page.locator(".toast", has_text="Sinkronisasi")


def end(run_id: int) -> None:
    """Let the run end with one more failed student."""
    with transaction() as session:
        session.execute(update(SyncRun).where(SyncRun.id == run_id).values(failed=27))
        transitions.move(session, run_id, Status.COMPLETED, "completed")


def test_pages_of_admins_and_treasurers_announce_the_end_of_the_run(
    open_as: OpenAs, run_id: int
) -> None:
    treasurer = open_as("bendahara", "/admin/siswa")
    admin, operator = open_as("admin", "/ukm"), open_as("operator", "/admin/siswa")
    for page in (treasurer, admin, operator):
        expect(page.locator("#run-bar")).to_be_visible()
    end(run_id)
    for page in (treasurer, admin):
        expect(toast(page)).to_have_count(1)
        expect(toast(page)).to_contain_text("selesai: 3 berhasil, 27 gagal")
        check_current_look(page)
    expect(operator.locator("#run-bar")).to_contain_text("27 gagal")
    expect(toast(operator)).to_have_count(0)
    toast(treasurer).get_by_role("link").click()
    treasurer.wait_for_url("**/admin/sync-pembayaran")


def test_only_a_pause_by_the_program_is_announced(open_as: OpenAs, run_id: int) -> None:
    page = open_as("admin", "/admin/siswa")
    expect(page.locator("#run-bar")).to_be_visible()
    commands.pause(Actor("Siti Rahma"))
    expect(page.locator("#run-bar")).to_contain_text("Sinkronisasi dijeda")
    commands.resume(Actor("Siti Rahma"))
    expect(page.locator("#run-bar")).not_to_contain_text("dijeda")
    expect(toast(page)).to_have_count(0)
    pausing.pause_refused(run_id, "unauthorized")
    expect(toast(page)).to_contain_text("API pembayaran menolak kita")


def test_the_page_of_a_run_shows_an_end_during_a_lost_stream(
    open_as: OpenAs, run_id: int, console_errors: list[str]
) -> None:
    page = open_as("bendahara", f"/admin/sync-pembayaran/runs/{run_id}")
    expect(page.locator("#run-head .badge")).to_have_text("Berjalan")
    with cut_stream(page, console_errors):
        end(run_id)
        commands.reset(Actor("Siti Rahma"))
        # After this time the stream's snapshot is read again, without the run that was reset.
        page.wait_for_timeout(1500 * snapshots.MAX_AGE_SECONDS)
    expect(page.locator("#run-head .badge")).to_have_text("Selesai, 27 gagal")
    expect(page.locator("#run-figures dd[data-slot=failed]")).to_have_text("27")


def test_the_browser_notifies_once_if_it_was_allowed(open_as: OpenAs, run_id: int) -> None:
    page, other = open_as("bendahara", "/admin/siswa"), open_as("bendahara", "/ukm")
    for each, path in ((page, "/admin/sync-pembayaran"), (other, "/admin/siswa")):
        each.add_init_script(RECORDER)
        each.goto(each.url.partition("/admin")[0].partition("/ukm")[0] + path)
        each.wait_for_selector("html[data-stream=open]")
    page.get_by_label("Beri tahu lewat peramban ini").check()
    expect(other.locator("#run-bar")).to_be_visible()
    end(run_id)
    expect(toast(other)).to_have_count(1)
    expect(page.locator("#sync-status")).to_contain_text("27 gagal")
    count = "window.shown.length"
    wait_until(lambda: page.evaluate(count) + other.evaluate(count), 30, "a notification")
    shown = page.evaluate("window.shown") + other.evaluate("window.shown")
    assert shown == ["Sinkronisasi pembayaran: Sinkronisasi selesai: 3 berhasil, 27 gagal"]


@contextmanager
def logged_out(chromium, web: WebServer) -> Iterator[Page]:
    context = chromium.new_context(locale="id-ID")
    page = context.new_page()
    page.goto(f"{web.url}/login")
    yield page
    context.close()


def test_the_person_who_started_a_run_sees_its_failures_at_the_next_log_in(
    chromium, web: WebServer, app: Flask, run_id: int
) -> None:
    def log_in(who: str) -> str:
        with logged_out(chromium, web) as page:
            submit_log_in(page, who)
            page.wait_for_url("**/admin/sync-pembayaran")
            return page.locator("main").inner_text()

    sentence = f"Sinkronisasi #{run_id} yang Anda mulai berakhir dengan 27 gagal."
    assert sentence not in log_in("bendahara")
    end(run_id)
    assert sentence in log_in("bendahara")
    assert sentence not in log_in("admin")
    assert progress.current()["status"] == "completed"
    commands.reset(Actor("Siti Rahma"))
    assert sentence not in log_in("bendahara")
