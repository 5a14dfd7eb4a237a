"""A new alert is shown on whichever page is open, and notified once per browser."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from myukm.domain.push import staff
from myukm.ops.alerts.monitor import record_of
from myukm.ops.alerts.records import Records
from myukm.ops.findings import BROKEN, WARNING, Finding
from tests.browser.conftest import cut_stream
from tests.browser.test_notifications import HIDE_PAGE, SHOWN, DevTools
from tests.browser.test_run_end import RECORDER
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]


def test_after_a_lost_stream_only_open_alerts_are_shown(
    open_as: OpenAs, app: Flask, console_errors: list[str]
) -> None:
    page = open_as("operator", "/ukm")
    records = Records()
    resolved, still_open = (
        Finding(f"test_{n}", BROKEN, f"Disk {n}.", "Kosongkan.") for n in ("A", "B")
    )
    with cut_stream(page, console_errors), app.app_context():
        for finding in (resolved, still_open):
            records.put(record_of(finding.key, finding))
        records.store()
        records.resolve(resolved.key)
        records.store()
    expect(page.locator(".toast", has_text="Disk B.")).to_be_visible()
    assert page.locator(".toast", has_text="Disk").all_inner_texts() == ["Disk B."]


def test_the_end_of_an_alert_is_shown_though_its_level_rose_while_the_stream_was_lost(
    open_as: OpenAs, app: Flask, console_errors: list[str]
) -> None:
    page = open_as("operator", "/ukm")
    page.wait_for_selector("[data-stream=open]")
    records = Records()

    def publish(level: str, message: str) -> None:
        finding = Finding("test_disk", level, message, "Kosongkan.")
        records.put(record_of("test_disk", finding))
        records.store()

    with app.app_context():
        publish(WARNING, "Disk hampir penuh.")
        expect(page.locator(".toast", has_text="Disk hampir penuh.")).to_be_visible()
        with cut_stream(page, console_errors):
            publish(BROKEN, "Disk penuh.")
            records.resolve("test_disk")
            records.store()
    expect(page.locator(".toast.tone-good", has_text="Disk penuh.")).to_be_visible()


def test_an_alert_is_shown_on_every_page_and_notified_once(open_as: OpenAs, app: Flask) -> None:
    page, other = open_as("operator", "/admin/antrian"), open_as("operator", "/ukm")
    for each in (page, other):
        each.add_init_script(RECORDER)
        each.reload()
        each.wait_for_selector("html[data-stream=open]")
    page.get_by_label("Beri tahu peringatan baru").check()
    page.goto(page.url.replace("/admin/antrian", "/admin/siswa"))
    page.wait_for_selector("html[data-stream=open]")
    records, finding = Records(), Finding("test_only", BROKEN, "Disk penuh.", "Kosongkan.")
    with app.app_context():
        records.put(record_of(finding.key, finding))
        records.store()
    for each in (page, other):
        expect(each.locator(".toast", has_text="Disk penuh.")).to_be_visible()
    count = "window.shown.filter((text) => text.includes('Disk')).length"
    wait_until(lambda: page.evaluate(count) + other.evaluate(count), 30, "a notification")
    with app.app_context():
        records.resolve(finding.key)
        records.store()
    expect(other.locator(".toast.tone-good", has_text="Disk penuh.")).to_be_visible()
    shown = page.evaluate("window.shown") + other.evaluate("window.shown")
    assert [text for text in shown if "Disk" in text] == ["Peringatan MyUKM: Disk penuh."]


@pytest.mark.service_worker
def test_an_alert_that_gets_worse_rings_again_once_for_page_and_push(
    open_as: OpenAs, app: Flask
) -> None:
    page = open_as("operator", "/admin/antrian")
    page.context.grant_permissions(["notifications"])
    page.reload()
    page.wait_for_selector("html[data-stream=open]")
    tools = DevTools(page)
    page.get_by_label("Beri tahu peringatan baru").check()
    records = Records()

    def shown_after(level: str, message: str) -> dict:
        finding = Finding("test_disk", level, message, "Kosongkan.")
        records.put(record_of("test_disk", finding))
        records.store()
        body = f"(async () => (await ({SHOWN})())[0])()"
        wait_until(lambda: (page.evaluate(body) or {}).get("body") == message, 30, message)
        return page.evaluate(body)

    with app.app_context():
        shown_after(WARNING, "Disk hampir penuh.")
        worse = shown_after(BROKEN, "Disk penuh.")
        assert worse["renotify"]
        pushed = staff.words(staff.ALERT, int(worse["tag"].removeprefix("alert-")))
    assert pushed
    page.evaluate(HIDE_PAGE)
    message = {**pushed.words._asdict(), "tag": worse["tag"], "id": pushed.number, "badge": 0}
    tools.push(page, message)
    wait_until(lambda: page.evaluate(SHOWN)[0]["silent"], 30, "the push, without a sound")
    assert len(page.evaluate(SHOWN)) == 1
