"""rq-dashboard in a real browser: it shows a job's texts without running them, and its age."""

from collections.abc import Callable

import pytest
import redis
from flask import Flask
from playwright.sync_api import Browser, Page, expect
from rq.results import Result

from myukm.queues.enqueue import get_queue
from tests.support.programs import WebServer
from tests.support.waiting import wait_until

TRAP = "<img src=x onerror=\"document.title='trapped'\"><script>document.title='trapped'</script>"


def test_html_in_a_failed_job_is_shown_as_text(
    open_as: Callable[..., Page], app: Flask, valkey: redis.Redis, console_errors: list[str]
) -> None:
    with app.app_context():
        queue = get_queue("high")
        job = queue.enqueue("myukm.jobs.upkeep.ping", description=TRAP, meta={"note": TRAP})
        valkey.lpop(queue.key)
        job.set_status("failed")
        valkey.zadd(queue.failed_job_registry.key, {job.id: 1e12})
        Result.create_failure(job, 1000, f"Traceback\nKeyError: {TRAP}")
        page = open_as("admin", f"/admin/rq/0/view/job/{job.id}")
    expect(page.locator(".exc_info")).to_contain_text("KeyError: <img src=x")
    expect(page.locator("#job-data")).to_contain_text("<script>")
    assert page.title() == "RQ dashboard"
    page.locator("#requeue-job-btn").click()
    wait_until(lambda: valkey.lrange(queue.key, 0, -1) == [job.id.encode()], 30, "queued again")
    # The full Chromium requests an icon, which rq-dashboard does not have.
    page.wait_for_load_state("networkidle")
    console_errors[:] = [text for text in console_errors if "favicon.ico" not in text]


@pytest.mark.parametrize("timezone", ["Asia/Jayapura", "America/New_York"])
def test_a_new_job_is_seconds_old_in_every_time_zone(
    chromium: Browser,
    web: WebServer,
    session_cookie: Callable[[str], tuple[str, str]],
    app: Flask,
    timezone: str,
) -> None:
    with app.app_context():
        job = get_queue("high").enqueue("myukm.jobs.upkeep.ping")
    context = chromium.new_context(timezone_id=timezone)
    name, value = session_cookie("admin")
    context.add_cookies([{"name": name, "value": value, "url": web.url}])
    page = context.new_page()
    page.goto(f"{web.url}/admin/rq/0/view/job/{job.id}")
    expect(page.locator("#job-data")).to_contain_text("second")
    assert "hour" not in page.locator("#job-data").inner_text()
    page.get_by_role("link", name="← MyUKM").click()
    page.wait_for_url("**/admin/antrian")
    context.close()
