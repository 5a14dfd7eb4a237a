"""Pages reserve space for what arrives later, so that nothing shifts on load or during a run."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from devtools.ports import any_free
from myukm.domain.sync import commands
from tests.browser.conftest import DESKTOP, PHONE
from tests.support.sync import TREASURER, create_students

OpenAs = Callable[..., Page]
# Half of what the Core Web Vitals call good (https://web.dev/articles/cls).
MAX_SHIFT = 0.05
# 1.6 Mbit/s and 150 ms, as Lighthouse's phone: styles, scripts and data arrive one after the other.
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 2e5, "uploadThroughput": 9e4}
MOUNTED = "html:not(:has([data-module]:not([data-mounted])))"
# Two frames after the last change, so that every shift has been painted and reported.
SHIFTS = """new Promise((resolve) => {
  const found = [];
  const name = ({ node }) => node?.id || node?.className || node?.textContent?.trim().slice(0, 40);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if (!entry.hadRecentInput) found.push([entry.value, entry.sources.map(name)]);
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(found))));
})"""

# The height of the bar of a run when it says this state and count.
HEIGHT = """(bar, [state, count]) => {
  bar.querySelector("[data-slot=state]").textContent = state;
  bar.querySelector("[data-slot=count]").textContent = count;
  return bar.offsetHeight;
}"""


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """A payment API that cannot be reached, whatever listens at its default address."""
    return settings | {"PEMBAYARAN_API_URL": f"http://127.0.0.1:{any_free()}/api"}


def shifts(page: Page) -> list[Any]:
    """Return each shift since the page was loaded: how much, and what moved."""
    return list(page.evaluate(SHIFTS))


def check_shift(found: list[Any]) -> None:
    """Assert that the sum of shifts is small."""
    assert sum(value for value, _what in found) < MAX_SHIFT, found


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("operator", "/admin/antrian"),
        ("bendahara", "/admin/sync-pembayaran"),
        ("bendahara", "/admin/siswa"),
        ("admin", "/admin/users"),
        ("member", "/ukm"),
        ("member", "/ukm/ROBOTIK/chat"),
        ("member", "/profile/notifications"),
    ],
)
def test_a_page_does_not_shift_while_it_loads(
    open_as: OpenAs, size: dict[str, int], who: str, path: str
) -> None:
    page = open_as(who, path, size)
    if path == "/admin/antrian":
        # A finding that appears or changes later may move the page. So before the reload all
        # findings must exist, and the first must name the job that has waited since this page was
        # opened (NO_CONSUMER_SECONDS).
        expect(page.locator("#findings")).to_contain_text("menunggu di antrian default")
        expect(page.locator("#findings-others")).to_contain_text("API pembayaran", timeout=60_000)
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", SLOW)
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    page.reload()
    page.wait_for_selector(MOUNTED)
    page.wait_for_selector('[data-stream="open"]')
    page.wait_for_selector(".history:not([data-state=loading]), html:not(:has(.history))")
    check_shift(shifts(page))


def test_pages_of_staff_show_the_bar_of_a_run_without_a_shift(app: Flask, open_as: OpenAs) -> None:
    with app.app_context():
        create_students(3)
        commands.start(TREASURER)
    page = open_as("bendahara", "/admin/siswa", PHONE)
    expect(page.locator("#run-bar")).to_contain_text("tidak ada worker")
    check_shift(shifts(page))


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_bar_of_a_run_keeps_its_height_whatever_it_says(
    app: Flask, open_as: OpenAs, size: dict[str, int]
) -> None:
    with app.app_context():
        create_students(3)
        commands.start(TREASURER)
    bar = open_as("bendahara", "/admin/siswa", size).locator("#run-bar")
    whole = re.compile("tidak ada worker yang mendengarkan antrian sync-pembayaran$")
    expect(bar.locator(".run-bar-state")).to_have_attribute("title", whole)
    says = [("Menunggu", "0 / 3"), ("Sinkronisasi berhenti: " + "alasan " * 40, "1 / 3"), ("", "")]
    assert len({bar.evaluate(HEIGHT, said) for said in says}) == 1


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_sync_page_does_not_shift_when_the_run_changes(
    app: Flask, open_as: OpenAs, size: dict[str, int]
) -> None:
    with app.app_context():
        create_students(3)
    page = open_as("bendahara", "/admin/sync-pembayaran", size)
    page.wait_for_selector('[data-stream="open"]')
    status = page.locator("#sync-status")
    before = len(shifts(page))
    for change, shown in (
        (commands.start, "Menunggu antrian"),
        (commands.pause, "Dijeda"),
        (commands.resume, "Menunggu antrian"),
        (commands.cancel, "Dibatalkan"),
        (commands.reset, "Belum berjalan"),
    ):
        with app.app_context():
            change(TREASURER)
        expect(status).to_contain_text(shown)
        found = shifts(page)
        check_shift(found[before:])
        before = len(found)
