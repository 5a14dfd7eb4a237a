"""The offline page of the service worker, with a server that is killed or stopped and returns."""

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from flask import Flask
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select

from myukm.extensions import db
from myukm.models import ChatMessage
from tests.browser.conftest import OtherMembers, check_current_look, each_appearance, submit_log_in
from tests.browser.test_saved_messages import saved_keys
from tests.support.pictures import half_red
from tests.support.programs import Program, WebServer
from tests.support.waiting import wait_until

pytestmark = pytest.mark.service_worker
OpenAs = Callable[..., Page]
ROOM = "/ukm/ROBOTIK/chat"
CONTROLLED = "navigator.serviceWorker.controller?.state === 'activated'"
CACHED = """async () => {
  const found = [];
  for (const name of await caches.keys()) {
    for (const { url } of await (await caches.open(name)).keys()) found.push(new URL(url).pathname);
  }
  return found;
}"""


class Network:
    """The web server, which the test kills, stops and starts again."""

    def __init__(self, web: WebServer, settings: dict[str, str], folder: Path) -> None:
        self.web, self.settings, self.folder = web, settings, folder
        self.again: Program | None = None

    def lose(self) -> None:
        """Kill the server."""
        self.web.kill()

    def hang(self) -> None:
        """Let the server accept connections and say nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let the stopped server respond again."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        for process in psutil.Process(self.web.child.pid).children(recursive=True):
            process.send_signal(number)

    def restore(self) -> None:
        """Start a server again at the address of the killed server."""
        bind = {"MYUKM_BIND": self.web.url.removeprefix("http://"), "WEB_CONCURRENCY": "1"}
        env = {**self.settings, **bind}
        self.again = Program(self.folder / "again.log", env, "gunicorn", "wsgi:app")


@pytest.fixture
def network(web: WebServer, settings: dict[str, str], tmp_path: Path) -> Iterator[Network]:
    made = Network(web, settings, tmp_path)
    yield made
    if made.again:
        made.again.kill()


def wait_controlled(page: Page) -> None:
    """Wait until the service worker handles the page's requests."""
    wait_until(lambda: page.evaluate(CONTROLLED), 30, "the service worker controls the page")


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Tulis pesan").fill(text)
    page.get_by_role("button", name="Kirim", exact=True).click()


def test_messages_written_without_network_are_sent_when_it_is_back(
    app: Flask,
    open_as: OpenAs,
    other_members: OtherMembers,
    network: Network,
    console_errors: list[str],
) -> None:
    other_members.say("sebelum putus")
    page = open_as("member", ROOM)
    wait_controlled(page)
    network.lose()
    write(page, "ditulis sebelum muat ulang")
    expect(page.get_by_text("menunggu jaringan")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="UKM Robotika")).to_be_visible()
    expect(page.get_by_text("ditulis sebelum muat ulang")).to_be_visible()
    expect(page.get_by_text("sebelum putus")).to_have_count(0)
    write(page, "ditulis tanpa jaringan")
    expect(page.get_by_text("menunggu jaringan").last).to_be_visible()
    for _appearance in each_appearance(page):
        check_current_look(page)
    network.restore()
    expect(page.get_by_text("sebelum putus")).to_be_visible(timeout=60_000)
    expect(page.locator(".message", has_text="ditulis tanpa jaringan")).to_have_count(1)

    def stored() -> list[str]:
        with app.app_context():
            return list(db.session.scalars(select(ChatMessage.body).order_by(ChatMessage.id)))

    expected = ["sebelum putus", "ditulis sebelum muat ulang", "ditulis tanpa jaringan"]
    wait_until(lambda: stored() == expected, 30, "both are sent, once")
    page.close()
    console_errors.clear()  # the browser reports the failed requests


def test_a_waiting_photo_is_shown_without_network_and_can_be_discarded(
    open_as: OpenAs, network: Network, console_errors: list[str], tmp_path: Path
) -> None:
    (tmp_path / "lomba.jpg").write_bytes(half_red())
    page = open_as("member", ROOM)
    wait_controlled(page)
    network.lose()
    page.set_input_files("#pick-files", str(tmp_path / "lomba.jpg"))
    expect(page.locator(".attached-file")).to_have_count(1)
    write(page, "dari lorong")
    expect(page.get_by_text("menunggu jaringan")).to_be_visible()
    page.reload()
    page.wait_for_function("() => document.querySelector('.file-picture img')?.naturalWidth")
    check_current_look(page)
    page.get_by_role("button", name="Batal kirim").press("Enter")
    expect(page.locator(".message")).to_have_count(0)
    expect(page.get_by_text("tidak disimpan di perangkat ini")).to_be_visible()
    expect(page.get_by_role("log")).to_be_focused()
    page.reload()
    expect(page.get_by_role("textbox", name="Tulis pesan")).to_be_visible()
    expect(page.locator(".message")).to_have_count(0)
    page.close()
    console_errors.clear()  # the browser reports the failed requests


def test_messages_are_saved_only_on_request_and_shown_with_their_age(
    open_as: OpenAs, other_members: OtherMembers, network: Network, console_errors: list[str]
) -> None:
    other_members.say("latihan jam empat")
    page = open_as("member", "/profile/notifications")
    wait_controlled(page)
    page.get_by_label("Simpan di perangkat ini 50 pesan").check()
    expect(page.locator(".toast")).to_contain_text("tersimpan")
    network.lose()
    page.goto(f"{network.web.url}{ROOM}")
    expect(page.get_by_text("latihan jam empat")).to_be_visible()
    expect(page.get_by_text("Tanpa jaringan. Pesan ini dari")).to_be_visible()
    page.goto(f"{network.web.url}/profile")
    expect(page.get_by_role("heading", name="Tidak ada jaringan")).to_be_visible()
    for _appearance in each_appearance(page):
        check_current_look(page)
    network.restore()
    expect(page.get_by_role("heading", name="Profil saya")).to_be_visible(timeout=60_000)
    page.close()
    console_errors.clear()  # the browser reports the failed requests


def test_a_server_that_hangs_is_handled_like_no_network(
    open_as: OpenAs, other_members: OtherMembers, network: Network, console_errors: list[str]
) -> None:
    other_members.say("sebelum macet")
    page = open_as("member", ROOM)
    wait_controlled(page)
    network.hang()
    page.goto(page.url, wait_until="commit")
    expect(page.get_by_role("button", name="Coba lagi")).to_be_visible()
    expect(page.get_by_text("sebelum macet")).to_have_count(0)
    write(page, "ditulis selama macet")
    network.go_on()
    expect(page.get_by_text("sebelum macet")).to_be_visible(timeout=60_000)
    expect(
        page.locator(".message[data-state=sent]", has_text="ditulis selama macet")
    ).to_have_count(1)
    page.close()
    console_errors.clear()  # the browser reports the failed requests


def test_a_log_out_deletes_saved_messages_and_no_other_account_sees_them(
    open_as: OpenAs, other_members: OtherMembers, network: Network, console_errors: list[str]
) -> None:
    other_members.say("hanya untuk anggota")
    page = open_as("member", "/profile/notifications")
    wait_controlled(page)
    page.get_by_label("Simpan di perangkat ini 50 pesan").check()
    expect(page.locator(".toast")).to_contain_text("tersimpan")
    assert len(saved_keys(page)) == 3
    page.goto(f"{network.web.url}/profile")
    page.locator(".stacked form[action='/logout'] button").click()
    page.wait_for_url("**/login")
    assert saved_keys(page) == []
    submit_log_in(page, "outsider")
    expect(page).not_to_have_url(re.compile("/login"))
    network.lose()
    page.goto(f"{network.web.url}{ROOM}")
    expect(page.get_by_role("heading", name="Tidak ada jaringan")).to_be_visible()
    page.close()
    console_errors.clear()  # the browser reports the failed requests


def test_the_service_worker_caches_the_shell_and_no_page_of_an_account(open_as: OpenAs) -> None:
    page = open_as("member", ROOM)
    wait_controlled(page)
    page.goto(page.url.replace(ROOM, "/profile"))
    found = page.evaluate(CACHED)
    assert "/offline" in found
    assert [each for each in found if not each.startswith("/static/v-")] == ["/offline"]


def test_lost_responses_do_not_stop_the_installation(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    page = open_as("member", "/healthz")
    lost: list[str] = []

    def lose_two(route: Route) -> None:
        if len(lost) == 2:
            route.continue_()
            return
        lost.append(route.request.url)
        route.abort()

    page.context.route("**/offline", lose_two)
    page.goto(page.url.replace("/healthz", ROOM))
    wait_controlled(page)
    assert len(lost) == 2
    assert "/offline" in page.evaluate(CACHED)
    console_errors.clear()  # the browser reports the aborted requests


def test_the_offline_page_is_in_the_chosen_language(open_as: OpenAs) -> None:
    page = open_as("member", ROOM)
    wait_controlled(page)
    response = page.context.request.post(
        page.url.replace(ROOM, "/language"), form={"lang": "en", "next": ROOM}
    )
    assert response.ok
    page.reload()
    text = "caches.match('/offline').then((page) => page.text())"
    wait_until(lambda: "No network" in page.evaluate(text), 30, "the page in English")


def test_the_install_button_appears_where_the_browser_offers_it(open_as: OpenAs) -> None:
    page = open_as("member", "/ukm")
    page.get_by_role("button", name="Mega Lestari").first.click()
    button = page.get_by_role("button", name="Pasang MyUKM")
    expect(button).to_be_hidden()
    page.evaluate(
        """() => {
            const offer = new Event("beforeinstallprompt", { cancelable: true });
            offer.prompt = async () => { window.asked = true; throw new Error("not now"); };
            dispatchEvent(offer);
        }"""
    )
    button.press("Enter")
    expect(button).to_be_hidden()
    expect(page.get_by_role("button", name="Mega Lestari").first).to_be_focused()
    assert page.evaluate("window.asked")


def test_the_icon_has_the_unread_count(open_as: OpenAs, other_members: OtherMembers) -> None:
    other_members.say("satu", "dua")
    page = open_as("member", "/ukm")
    page.add_init_script("navigator.setAppBadge = async (count) => { window.badge = count; }")
    page.reload()
    wait_until(lambda: page.evaluate("window.badge") == 2, 30, "the count on the icon")
