"""Pages of a UKM's admin, by keyboard and on a phone, and their effect on others' open pages."""

import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, Request, expect
from sqlalchemy import update

from myukm.db.session import on_commit, transaction
from myukm.domain.actor import Actor
from myukm.domain.chat import messages, reports
from myukm.domain.exports import progress, requests
from myukm.domain.ukm import administration as ukm_administration
from myukm.extensions import db
from myukm.models import Export, Ukm, User
from myukm.models.export import ExportState
from tests.browser.conftest import PHONE, check_axe, check_look, miss_events
from tests.support.people import NAMES, UKM
from tests.support.programs import Program

OpenAs = Callable[..., Page]
LIVE = '[data-stream="open"]'
BASE = f"/ukm/{UKM}"


@pytest.fixture(autouse=True)
def reported_message(app: Flask, people: dict[str, int]) -> None:
    """Make the member an admin of ROBOTIK and report a message of the friend."""
    with app.app_context():
        ukm_administration.add(UKM, NAMES["member"][0], is_admin=True, by=Actor("test"))
        friend = db.session.get_one(User, people["friend"])
        message, _ = messages.post(friend, UKM, "Jual akun murah https://contoh.example", "c1")
        reports.report(people["member"], UKM, message.id, "Iklan")


def open_live(open_as: OpenAs, who: str, path: str) -> Page:
    page = open_as(who, path, PHONE)
    page.wait_for_selector(LIVE)
    return page


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("friend", f"{BASE}/members"),
        ("member", f"{BASE}/members"),
        ("member", f"{BASE}/members/{{friend}}"),
        ("member", f"{BASE}/manage"),
        ("member", f"{BASE}/export"),
        ("member", f"{BASE}/requests"),
        ("member", f"{BASE}/reports"),
        ("member", f"{BASE}/log"),
        ("admin", f"/admin{BASE}/manage"),
    ],
)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    open_as: OpenAs, people: dict[str, int], who: str, path: str
) -> None:
    page = open_live(open_as, who, path.format(**people))
    check_look(page)
    expect(page.locator("link[rel=modulepreload][href*='/pages/']")).to_have_count(1)


def tab_to(page: Page, name: str, role: str = "button") -> None:
    """Press Tab until the element of this role and name has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
    for _ in range(80):
        if wanted.evaluate("node => node === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {name}")


def test_a_member_is_muted_and_removed_by_keyboard_alone(
    open_as: OpenAs, people: dict[str, int]
) -> None:
    page = open_live(open_as, "member", f"{BASE}/members")
    tab_to(page, "Atur Farhan Hakim", "link")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/members/\d+$"))
    tab_to(page, "1 jam", "radio")
    page.keyboard.press("ArrowDown")
    tab_to(page, "Bisukan")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Hanya bisa membaca sampai")).to_be_visible()
    page.wait_for_selector(LIVE)
    tab_to(page, "Blokir dari UKM ini", "checkbox")
    page.keyboard.press("Space")
    tab_to(page, "Keluarkan dari UKM")
    page.keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_contain_text("Keluarkan Farhan Hakim?")
    tab_to(page, "Keluarkan")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/members$"))
    expect(page.get_by_role("rowheader", name="Farhan Hakim")).to_have_count(0)
    page.goto(page.url.replace("/members", "/log"))
    log = page.locator("#ukm-list")
    expect(log).to_contain_text("Mega Lestari mengeluarkan dan memblokir Farhan Hakim")


def test_pages_of_other_members_change_without_a_reload(
    open_as: OpenAs, people: dict[str, int]
) -> None:
    friend = open_live(open_as, "friend", f"{BASE}/members")
    his_list = open_live(open_as, "friend", "/ukm")
    page = open_live(open_as, "member", f"{BASE}/members/{people['friend']}")
    page.get_by_role("button", name="Angkat menjadi pengurus").click()
    expect(page.get_by_role("button", name="Cabut jabatan pengurus")).to_be_visible()
    page.wait_for_selector(LIVE)
    expect(friend.get_by_role("link", name="Kelola", exact=True)).to_be_visible()
    page.get_by_role("button", name="Keluarkan dari UKM").click()
    page.locator("dialog[open]").get_by_role("button", name="Keluarkan").click()
    friend.wait_for_url(re.compile(r"/ukm$"))
    expect(his_list.get_by_text("Anda belum ikut UKM")).to_be_visible()
    for loaded in (friend, his_list):  # a context closed during a load may hang
        loaded.wait_for_selector(LIVE)


def test_a_mute_lasts_until_the_entered_time(open_as: OpenAs, people: dict[str, int]) -> None:
    page = open_live(open_as, "member", f"{BASE}/members/{people['friend']}")
    tomorrow = datetime.now() + timedelta(days=1)
    page.get_by_label("Sampai kapan").fill(tomorrow.strftime("%Y-%m-%dT%H:%M"))
    page.get_by_role("button", name="Bisukan").click()
    expect(page.get_by_text("Hanya bisa membaca sampai")).to_be_visible()
    until = page.locator("strong time").get_attribute("datetime")
    assert until is not None
    assert datetime.fromisoformat(until) - datetime.now(UTC) > timedelta(hours=2)


def test_settling_a_report_updates_the_count(open_as: OpenAs) -> None:
    log = open_live(open_as, "member", f"{BASE}/log")
    expect(log.locator("#open-reports")).to_contain_text("1")
    page = open_live(open_as, "member", f"{BASE}/reports")
    page.get_by_role("button", name="Hapus pesan dari Farhan Hakim").click()
    page.locator("dialog[open]").get_by_role("button", name="Hapus pesan").click()
    expect(page.get_by_text("Tidak ada laporan")).to_be_visible()
    expect(log.locator("#open-reports")).to_be_hidden()


def test_a_confirmed_deletion_is_done_though_the_list_was_reloaded(
    app: Flask, open_as: OpenAs, people: dict[str, int]
) -> None:
    page = open_live(open_as, "member", f"{BASE}/reports")
    page.get_by_role("button", name="Hapus pesan dari Farhan Hakim").click()
    dialog = page.locator("dialog[open]")
    expect(dialog).to_be_visible()
    with app.app_context():
        friend = db.session.get_one(User, people["friend"])
        message, _ = messages.post(friend, UKM, "Jual lagi", "c2")
        reports.report(people["member"], UKM, message.id, "Iklan")
    expect(page.locator("#ukm-list")).to_contain_text("Jual lagi")
    dialog.get_by_role("button", name="Hapus pesan").click()
    expect(page.locator("#open-reports")).to_contain_text("1")
    expect(page.get_by_text("Jual akun murah")).to_have_count(0)


def test_the_list_shows_a_deletion_and_a_new_name(open_as: OpenAs, people: dict[str, int]) -> None:
    page = open_live(open_as, "member", "/ukm")
    card = page.locator(f"[data-code={UKM}]")
    expect(card).to_contain_text("Jual akun murah")
    reports_page = open_live(open_as, "member", f"{BASE}/reports")
    delete = reports_page.get_by_role("button", name="Hapus pesan dari Farhan Hakim")
    delete.click()
    reports_page.locator("dialog[open]").get_by_role("button", name="Hapus pesan").click()
    expect(card).to_contain_text("pesan dihapus")
    expect(delete).to_have_count(0)
    reports_page.goto(reports_page.url.replace("/reports", "/manage"))
    reports_page.get_by_role("textbox", name="Nama", exact=True).fill("Robotika Jaya")
    reports_page.get_by_role("button", name="Simpan").click()
    expect(card).to_contain_text("Robotika Jaya")
    reports_page.wait_for_selector(LIVE)


@pytest.mark.parametrize("path", ["/ukm", f"{BASE}/requests", "/ukm/directory"])
def test_a_page_is_reloaded_after_missed_events_though_a_request_is_lost(
    app: Flask, open_as: OpenAs, path: str, console_errors: list[str]
) -> None:
    with app.app_context(), transaction() as session:
        session.execute(update(Ukm).values(is_listed=True))
    page = open_live(open_as, "member", path)
    with app.app_context(), transaction() as session:  # without an event
        session.execute(update(Ukm).values(name="Robotika Jaya", is_listed=False))
    page.route(page.url, lambda route: route.abort(), times=1)
    with page.expect_response(lambda answer: answer.url == page.url):
        miss_events(page)
    console_errors[:] = [line for line in console_errors if path not in line]
    expected = {"/ukm": "Robotika Jaya", "/ukm/directory": "Belum ada"}
    expect(page.locator("main")).to_contain_text(expected.get(path, "tidak ada di daftar"))


def test_a_large_export_shows_from_its_first_entry_that_it_is_written(
    app: Flask, open_as: OpenAs
) -> None:
    page = open_live(open_as, "member", f"{BASE}/export")
    page.get_by_role("button", name="Buat berkas ZIP").click()
    expect(page.locator(".file")).to_contain_text("Menunggu giliran")
    page.wait_for_selector(LIVE)
    with app.app_context(), transaction() as session:
        export = session.query(Export).one()
        export.state, export.done, export.total = ExportState.RUNNING, 1, 100_000
        on_commit(progress.publish, export)
    expect(page.locator(".file")).to_contain_text("Sedang ditulis")


def test_an_export_begun_elsewhere_shows_up_and_one_of_another_page_does_not_reload(
    app: Flask, people: dict[str, int], open_as: OpenAs
) -> None:
    page = open_live(open_as, "member", f"{BASE}/export")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 (Playwright inspects its signature)
    with app.app_context():
        requests.request(people["member"], "csv", "", 1)
        with app.test_request_context():
            requests.request_archive(Actor("Mega Lestari", people["member"]), UKM)
    expect(page.locator(".file")).to_contain_text("Menunggu giliran")
    assert [each.url for each in sent if each.resource_type == "fetch"] == [page.url]


def test_an_export_is_created_and_downloaded(
    open_as: OpenAs,
    start: Callable[..., Program],
    tmp_path: Path,
    console_errors: list[str],
) -> None:
    page = open_live(open_as, "member", f"{BASE}/manage")
    page.get_by_role("link", name="Ekspor UKM ini").click()
    page.wait_for_selector(LIVE)
    page.get_by_role("button", name="Buat berkas ZIP").click()
    page.wait_for_selector(LIVE)
    start("python", "worker.py", "default")
    expect(page.locator(".file")).to_contain_text("Siap diunduh", timeout=30_000)
    check_look(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Unduh ZIP").last.click()
    zipfile.ZipFile(saved.value.path()).extractall(tmp_path / "archive")
    page.goto(f"file://{tmp_path}/archive/index.html")
    page.get_by_role("link").last.click()
    expect(page.locator("article")).to_contain_text("Jual akun murah")
    check_axe(page)
    console_errors.clear()  # axe requests the styles, which a file:// page may not
