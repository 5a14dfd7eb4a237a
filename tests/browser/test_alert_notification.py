"""A new alert is told by the browser, on whichever page is open, once per browser."""

from collections.abc import Callable

from flask import Flask
from playwright.sync_api import Page, expect

from myukm.ops.alerts.monitor import record_of
from myukm.ops.alerts.records import Records
from myukm.ops.findings import BROKEN, Finding
from tests.browser.test_run_end import RECORDER
from tests.support.waiting import wait_until

OpenAs = Callable[..., Page]


def test_it_is_told_on_every_page_and_once(open_as: OpenAs, app: Flask) -> None:
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
