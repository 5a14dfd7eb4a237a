"""The queues' page in a browser: workers, findings, history, pauses and alerts, all live."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect

from devtools.ports import any_free
from devtools.valkey import Valkey
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.models import QueueSample, SyncRun
from myukm.ops.alerts.monitor import record_of
from myukm.ops.alerts.records import Records
from myukm.ops.findings import BROKEN, Finding
from myukm.ops.history import samples
from myukm.queues.enqueue import get_queue
from tests.browser.conftest import PHONE, check_look, cut_stream
from tests.support.programs import Program
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, wait_serving

# In one step, because findings change: how many are folded, and the visible numbers in the heading.
COUNTS = """() => [
  document.querySelectorAll("#findings-others > *").length,
  [...document.querySelectorAll("#findings-folded summary [data-count]")]
    .filter((each) => each.checkVisibility()).map((each) => Number(each.textContent)),
]"""


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """A payment API that cannot be reached, whatever listens at its default address."""
    return settings | {"PEMBAYARAN_API_URL": f"http://127.0.0.1:{any_free()}/api"}


def test_a_killed_worker_is_reported_without_a_reload(
    app: Flask, start: Callable[..., Program], open_as: Callable[..., Page]
) -> None:
    worker = start(*WORKER)
    wait_serving(app)
    page = open_as("operator", "/admin/antrian")
    expect(page.locator("#workers")).to_contain_text("sync-pembayaran.")
    worker.kill()
    expect(page.locator("#findings")).to_contain_text(
        "Tidak ada worker yang mendengarkan antrian high"
    )
    expect(page.locator("#findings")).to_contain_text("./run worker")


def test_the_most_severe_finding_is_open_and_the_others_are_folded(
    open_as: Callable[..., Page],
) -> None:
    page = open_as("operator", "/admin/antrian", PHONE)
    expect(page.locator("#findings > *")).to_have_count(1)
    folded = page.locator("#findings-folded")
    expect(folded).to_be_visible(timeout=30_000)  # no worker, and no payment API
    expect(folded).not_to_have_attribute("open", "")
    expect(page.locator("#findings-others > *").first).to_be_hidden()
    assert page.locator("#queues").bounding_box()["y"] < 3 * PHONE["height"]  # type: ignore[index]
    folded.locator("summary").click()
    expect(page.locator("#findings-others > *").first).to_be_visible()
    count, shown = page.evaluate(COUNTS)
    assert sum(shown) == count
    check_look(page)


@pytest.fixture
def history(app: Flask) -> None:
    """A quarter of an hour of the queues: a run, a restart, six minutes without a sample."""
    with app.app_context(), transaction() as session:
        end = samples.last_end(utcnow(), samples.SHORT)
        for back in range(1, 100):
            if 40 < back < 76:
                continue
            moment = end - timedelta(seconds=samples.SHORT * back)
            busy = {
                "waiting": back % 40,
                "oldest_ms": back * 90,
                "running": 1,
                "workers": 1,
                "finished": back % 7,
                "failed": int(back % 60 == 0),
                "wait": [0, 0, back % 9, 2],
                "run": [0, 0, 0, 0, back % 5, 1],
            }
            queues = {
                "high": busy,
                "default": {**busy, "waiting": 3},
                "sync-pembayaran": {**busy, "waiting": back // 10},
            }
            session.add(
                QueueSample(
                    step=samples.SHORT,
                    at=moment,
                    seconds=samples.SHORT,
                    queues=queues,
                    starts={"web": 2} if back == 39 else {},
                )
            )
        started_at = end - timedelta(minutes=9)
        session.add(
            SyncRun(
                status="completed",
                started_at=started_at,
                finished_at=started_at + timedelta(minutes=3),
            )
        )


def test_the_history_is_drawn_and_has_the_same_figures_as_a_table(
    history: None, app: Flask, open_as: Callable[..., Page]
) -> None:
    page = open_as("operator", "/admin/antrian", PHONE)
    line = page.locator('[data-column="waiting"] [data-queue="high"]')
    expect(page.locator("#history")).to_have_attribute("data-state", "ready")
    drawn = line.get_attribute("d") or ""
    assert drawn.count("M") >= 2, "the time without a sample is a gap"
    bands = page.locator('[data-column="waiting"] [data-runs]').get_attribute("d") or ""
    assert bands.count("M") == 1
    page.get_by_text("Lihat angkanya").click()
    rows = page.locator("#history-rows tr")
    expect(rows.nth(63)).to_be_attached()
    expect(page.locator("#history-events")).to_contain_text("Sinkronisasi #1")
    expect(page.locator("#history-events")).to_contain_text("2 proses mulai (web)")
    page.select_option("#history-queue", "default")
    expect(rows.nth(30)).to_contain_text("3")
    check_look(page)
    expect(rows.nth(rows.count())).to_be_attached(timeout=60_000)  # the leader takes a sample


def test_other_ranges_are_links(history: None, open_as: Callable[..., Page]) -> None:
    page = open_as("operator", "/admin/antrian")
    page.get_by_role("link", name="90 hari").click()
    expect(page.locator("#history")).to_have_attribute("data-state", "empty")
    expect(page.get_by_role("link", name="90 hari")).to_have_attribute("aria-current", "page")


def test_a_failed_request_for_the_history_is_shown_and_retried(
    open_as: Callable[..., Page], console_errors: list[str]
) -> None:
    page = open_as("operator", "/admin/antrian?range=day")
    page.route("**/admin/antrian/history*", lambda route: route.fulfill(status=503, body="{}"))
    page.reload()
    expect(page.locator("#history")).to_have_attribute("data-state", "failed")
    page.unroute("**/admin/antrian/history*")
    page.get_by_role("button", name="Coba lagi").click()
    expect(page.locator("#history")).to_have_attribute("data-state", "empty")
    console_errors.clear()


def test_a_press_and_the_focus_stay_at_a_button_while_the_figures_change(
    app: Flask, open_as: Callable[..., Page]
) -> None:
    page = open_as("admin", "/admin/antrian")
    row = page.locator("#queues tr").filter(has=page.get_by_text("high", exact=True))
    row.get_by_role("button", name="Jeda high").focus()
    page.keyboard.down("Space")
    wait_for_one_more(app, row)
    page.keyboard.up("Space")
    dialog = page.locator("#confirm-pause")
    expect(dialog).to_be_visible()
    wait_for_one_more(app, row)
    dialog.get_by_role("button", name="Jeda").click()
    expect(row.get_by_role("button", name="Lanjutkan high")).to_be_focused()


def wait_for_one_more(app: Flask, row: Locator) -> None:
    """Enqueue a job that no worker takes, and wait until the page counts it."""
    waiting = row.locator("[data-slot=waiting]")
    before = int(waiting.text_content() or 0)
    with app.app_context():
        get_queue("high").enqueue("myukm.jobs.upkeep.ping")
    expect(waiting).to_have_text(str(before + 1))


def test_an_admin_pauses_a_queue_and_resumes_it(open_as: Callable[..., Page]) -> None:
    page = open_as("admin", "/admin/antrian")
    row = page.locator("#queues tr").filter(has=page.get_by_text("high", exact=True))
    expect(row.get_by_text("dijeda")).to_be_hidden()
    # The findings stand above the table, so a new one moves the button away from the pointer.
    expect(page.locator("main")).to_contain_text("Tidak ada worker yang mendengarkan")
    row.get_by_role("button", name="Jeda high").click()
    dialog = page.locator("#confirm-pause")
    expect(dialog).to_contain_text("Pekerjaan baru di antrian high menunggu")
    dialog.get_by_role("button", name="Jeda").click()
    expect(row.get_by_text("dijeda")).to_be_visible()
    finding = "Antrian high dijeda oleh Siti Rahma"  # open or folded, because no worker runs
    expect(page.locator("main")).to_contain_text(finding)
    resume = row.get_by_role("button", name="Lanjutkan high")
    expect(resume).to_be_visible()
    resume.click()
    expect(row.get_by_text("dijeda")).to_be_hidden()
    expect(page.locator("main")).not_to_contain_text(finding)


def test_many_missed_alerts_cause_few_requests_for_the_findings(
    open_as: Callable[..., Page], app: Flask, console_errors: list[str]
) -> None:
    page = open_as("operator", "/admin/antrian")
    requested: list[str] = []
    page.on("request", lambda sent: requested.append(sent.url) if sent.url == page.url else None)
    with cut_stream(page, console_errors), app.app_context():
        records = Records()
        for n in range(30):
            finding = Finding(f"test_{n}", BROKEN, f"Disk {n}.", "Kosongkan.")
            records.put(record_of(finding.key, finding))
        records.store()
    expect(page.locator("#toasts")).to_contain_text("Disk 29.")
    wait_until(lambda: requested or page.wait_for_timeout(50), 30, "a request for the findings")
    page.wait_for_timeout(500)
    assert len(requested) < 5


class TestWithoutValkey:
    """Without Valkey no queue health is published, so the page requests the findings."""

    @pytest.fixture
    def settings(self, settings: dict[str, str], killable_valkey: Valkey) -> dict[str, str]:
        return settings | {"REDIS_URL": killable_valkey.url}

    def test_the_page_says_that_valkey_is_unreachable(
        self, open_as: Callable[..., Page], killable_valkey: Valkey
    ) -> None:
        page = open_as("operator", "/admin/antrian")
        expect(page.locator("#queues tr")).to_have_count(3)
        expect(page.locator("#findings")).not_to_contain_text("Valkey")
        killable_valkey.kill()
        expect(page.locator("#findings")).to_contain_text("Valkey", timeout=60_000)
        expect(page.locator("#queues tr")).to_have_count(3)
