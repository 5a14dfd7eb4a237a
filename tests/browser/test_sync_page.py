"""The sync page during a run: from the button to 100 % without a reload."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect

from devtools.simulator.client import Simulator
from myukm.domain.sync import commands, progress
from myukm.live import pubsub
from tests.browser.conftest import PHONE, check_look, cut_stream, send_unknown_cursor
from tests.support.programs import Program
from tests.support.sync import TREASURER, load_roster

OpenAs = Callable[..., Page]
PAGE = "/admin/sync-pembayaran"
LIVE = '[data-stream="open"]'


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url, "PEMBAYARAN_API_TRIES": "1"}


@pytest.fixture
def students(app: Flask, simulator: Simulator) -> int:
    """Two hundred students of whom six fail."""
    return load_roster(app, simulator, refused=6)


def open_live(open_as: OpenAs, who: str) -> Page:
    page = open_as(who, PAGE)
    page.wait_for_selector(LIVE)
    return page


def test_every_tab_shows_a_run_from_the_button_to_the_end(
    open_as: OpenAs, students: int, start: Callable[..., Program]
) -> None:
    start("rq", "worker", "sync-pembayaran")
    page, second = open_live(open_as, "bendahara"), open_live(open_as, "admin")
    page.get_by_role("button", name="Mulai Sinkronisasi").click()
    for tab in (page, second):
        expect(tab.locator("#sync-status")).to_contain_text("Selesai")
        expect(tab.locator("#sync")).to_contain_text(re.compile(r"100\s*%"))
        expect(tab.locator("#sync")).to_contain_text(str(students - 6))
    page.reload()
    expect(page.locator("#sync-status")).to_contain_text("Selesai")


# Shows a wide percentage and the longest pace; returns where the first text ends and the second one
# begins, in pixels.
EDGES = """() => {
  const texts = { percent: "99,99%", rate: "menghitung kecepatan…" };
  const [percent, pace] = Object.entries(texts).map(([slot, text]) => {
    const shown = document.createRange();
    const element = document.querySelector(`.sync-bar [data-slot=${slot}]`);
    element.textContent = text;
    shown.selectNodeContents(element);
    return shown;
  });
  return [percent.getBoundingClientRect().right, pace.getBoundingClientRect().left];
}"""


def test_the_pace_does_not_cover_the_percentage_on_a_phone(open_as: OpenAs) -> None:
    end, beginning = open_as("bendahara", PAGE, PHONE).evaluate(EDGES)
    assert end < beginning


def test_buttons_are_enabled_only_when_their_action_is_possible(
    open_as: OpenAs, students: int
) -> None:
    page = open_live(open_as, "bendahara")
    expect(page.get_by_role("button", name="Batalkan")).to_be_disabled()
    page.get_by_role("button", name="Mulai Sinkronisasi").click()
    expect(page.get_by_role("button", name="Mulai Sinkronisasi")).to_be_disabled()
    page.get_by_role("button", name="Batalkan").click()
    page.locator("dialog[open]").get_by_role("button", name=re.compile("^Batalkan")).click()
    expect(page.locator("#sync-status")).to_contain_text("Dibatalkan")


def test_an_operator_sees_the_page_without_the_start_button(open_as: OpenAs, students: int) -> None:
    page = open_live(open_as, "operator")
    assert page.get_by_role("button", name="Mulai Sinkronisasi").count() == 0


def test_the_panel_of_a_run_says_that_no_worker_listens(open_as: OpenAs, students: int) -> None:
    page = open_live(open_as, "bendahara")
    page.get_by_role("button", name="Mulai Sinkronisasi").click()
    expect(page.locator("#sync")).to_contain_text("tidak ada worker")


def press(page: Page, name: str) -> None:
    """Press a button by the keyboard, as a user of a keyboard or a screen reader does."""
    button = page.get_by_role("button", name=name)
    button.focus()
    button.press("Enter")


def test_the_focus_moves_to_the_button_that_replaces_the_pressed_button(
    open_as: OpenAs, students: int
) -> None:
    page = open_live(open_as, "bendahara")
    for pressed, follows in (
        ("Mulai Sinkronisasi", "Jeda"),
        ("Jeda", "Lanjutkan"),
        ("Lanjutkan", "Jeda"),
    ):
        press(page, pressed)
        expect(page.get_by_role("button", name=follows)).to_be_focused()
    press(page, "Batalkan")
    page.locator("dialog[open]").get_by_role("button", name=re.compile("^Batalkan")).press("Enter")
    expect(page.get_by_role("button", name="Mulai Sinkronisasi")).to_be_focused()


def test_a_pressed_button_stays_disabled_until_its_call_ends_and_then_has_the_focus(
    app: Flask, open_as: OpenAs, students: int, console_errors: list[str]
) -> None:
    page = open_live(open_as, "bendahara")
    press(page, "Mulai Sinkronisasi")
    button = page.get_by_role("button", name="Jeda")
    expect(button).to_be_focused()
    expect(page.locator("#sync-notice")).to_contain_text("tidak ada worker")  # the last real event
    calls: list[Route] = []

    def hold(route: Route) -> None:
        calls.append(route)

    page.route("**/pause", hold)
    press(page, "Jeda")
    for reason in ("kabar pertama", "kabar kedua"):
        with app.app_context():
            event = progress.current() | {"reason": reason}
            pubsub.publish_transient("sync", "sync.progress", event)
        expect(page.locator("#sync-notice")).to_contain_text(reason)
        expect(button).to_be_disabled()
    (call,) = calls
    call.fulfill(status=409, json={"error": {"code": "late", "message": "terlambat"}})
    expect(page.get_by_text("terlambat")).to_be_visible()
    expect(button).to_be_focused()
    console_errors[:] = [each for each in console_errors if "409" not in each]


def test_the_focus_moves_when_the_server_replaces_the_focused_button(
    open_as: OpenAs, students: int, start: Callable[..., Program], simulator: Simulator
) -> None:
    page = open_live(open_as, "bendahara")
    press(page, "Mulai Sinkronisasi")
    expect(page.get_by_role("button", name="Jeda")).to_be_focused()
    simulator.set(token="another")
    start("rq", "worker", "sync-pembayaran")
    expect(page.get_by_role("button", name="Lanjutkan")).to_be_focused()
    simulator.set(token=None)
    press(page, "Lanjutkan")
    expect(page.locator("#sync-status")).to_contain_text("Selesai")
    expect(page.get_by_role("button", name="Mulai Sinkronisasi")).to_be_focused()


def test_the_log_shows_lines_missed_while_the_stream_was_lost(
    app: Flask, open_as: OpenAs, students: int, console_errors: list[str]
) -> None:
    page = open_live(open_as, "bendahara")
    expect(page.locator("#log-empty")).to_be_visible()
    with cut_stream(page, console_errors), app.app_context():
        commands.start(TREASURER)
        commands.pause(TREASURER)
        page.route("**/stream?*", send_unknown_cursor)
        page.route("**" + PAGE, lambda route: route.abort(), times=1)
        page.wait_for_selector(LIVE)
    expect(page.locator("#log li")).to_have_count(2)
    console_errors[:] = [line for line in console_errors if PAGE not in line]


def test_the_bar_on_other_pages_shows_the_status_and_the_end_of_the_run(
    open_as: OpenAs, students: int, start: Callable[..., Program], simulator: Simulator
) -> None:
    page, other = open_live(open_as, "bendahara"), open_as("operator", "/admin/siswa", PHONE)
    bar = other.locator("#run-bar")
    expect(bar).to_be_hidden()
    simulator.set(token="another")
    start("rq", "worker", "sync-pembayaran")
    page.get_by_role("button", name="Mulai Sinkronisasi").click()
    expect(bar).to_contain_text("API pembayaran menolak kita")
    expect(bar).to_have_class(re.compile("tone-bad"))
    simulator.set(token=None, latency_ms=2000)
    page.get_by_role("button", name="Lanjutkan").click()
    expect(bar).to_contain_text("Sinkronisasi berjalan")
    page.get_by_role("button", name="Jeda").click()
    expect(bar).to_contain_text("Sinkronisasi dijeda \u2068Budi Santoso\u2069")
    check_look(other)
    simulator.set(latency_ms=0)
    page.get_by_role("button", name="Lanjutkan").click()
    expect(bar).to_contain_text(f"selesai: {students - 6} berhasil, 6 gagal")
    expect(bar).to_have_class(re.compile("tone-wait"))
