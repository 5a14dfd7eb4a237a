"""Joining a UKM in a browser, by link, poster and request; lists of requests and readers."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from myukm.domain.actor import Actor
from myukm.domain.chat import messages, pins
from myukm.domain.ukm import administration as ukm_administration
from myukm.domain.ukm import directory, join_requests, links
from myukm.extensions import db
from myukm.live import pubsub
from myukm.models import User
from tests.browser.conftest import PHONE, check_look, drop_stream_errors, submit_log_in
from tests.support.people import NAMES, UKM
from tests.support.programs import WebServer

OpenAs = Callable[..., Page]
BASE = f"/ukm/{UKM}"


@pytest.fixture(autouse=True)
def ukm_admin(app: Flask, people: dict[str, int]) -> None:
    """Make the member an admin of ROBOTIK."""
    with app.app_context():
        ukm_administration.add(UKM, NAMES["member"][0], is_admin=True, by=Actor("test"))


@pytest.fixture
def link(app: Flask, people: dict[str, int]) -> str:
    """The path of ROBOTIK's link."""
    with app.app_context():
        ukm = links.create_or_extend(Actor("Mega", people["member"]), UKM, 30)
        return f"/gabung/{ukm.link_token}"


def test_a_link_is_made_and_revoked_by_its_admin(open_as: OpenAs) -> None:
    page = open_as("member", f"{BASE}/manage", PHONE)
    page.get_by_label("Berlaku selama").select_option("7")
    page.get_by_role("button", name="Buat tautan").click()
    expect(page.get_by_alt_text("Kode QR tautan gabung")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.join-link img').naturalWidth > 0")
    page.context.grant_permissions(["clipboard-write"])
    page.get_by_role("button", name="Salin tautan").click()
    expect(page.locator("#toasts")).to_contain_text("Tautan disalin")
    check_look(page)
    page.get_by_role("button", name="Cabut tautan").click()
    page.get_by_role("dialog").get_by_role("button", name="Cabut tautan").click()
    expect(page.get_by_role("button", name="Buat tautan")).to_be_visible()


def test_the_poster_fills_one_sheet(open_as: OpenAs, link: str) -> None:
    page = open_as("member", f"{BASE}/poster", PHONE)
    check_look(page)
    sheets = re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))
    assert len(sheets) == 1


def test_a_poster_without_a_link_offers_to_create_one(open_as: OpenAs) -> None:
    page = open_as("member", f"{BASE}/poster", PHONE)
    expect(page.get_by_role("link", name="Buat tautan")).to_be_visible()
    check_look(page)


def test_a_scanned_link_asks_for_the_log_in_and_joins_by_keyboard(
    chromium: Browser, web: WebServer, link: str
) -> None:
    page = chromium.new_page(viewport=PHONE, locale="id-ID")  # type: ignore[arg-type]
    page.goto(f"{web.url}{link}")
    submit_log_in(page, "outsider")
    page.get_by_role("button", name="Gabung").wait_for()
    check_look(page)
    page.get_by_role("button", name="Gabung").press("Enter")
    page.wait_for_url(f"**{BASE}/chat")
    page.close()


def test_a_request_to_join_and_its_decision_are_shown_live(
    app: Flask, open_as: OpenAs, people: dict[str, int]
) -> None:
    with app.app_context():
        directory.describe(Actor("Siti", campus=True), UKM, 'Robot "kami" 🤖', listed=True)
    admin, asking = open_as("member", "/ukm", PHONE), open_as("outsider", "/ukm/directory", PHONE)
    for page in (admin, asking):
        page.wait_for_selector('[data-stream="open"]')
    asking.get_by_role("button", name="Minta bergabung").press("Enter")
    expect(asking.get_by_text("Menunggu keputusan")).to_be_visible()
    check_look(asking)
    announced = re.compile("Rudi Hartono\u2069 minta bergabung")  # the name is isolated
    expect(admin.get_by_role("status").get_by_text(announced)).to_be_visible()
    admin.locator("[data-requests]").click()
    admin.wait_for_url(f"**{BASE}/requests")
    check_look(admin)
    with app.app_context():
        join_requests.ask(people["operator"], UKM)
    accept = admin.get_by_role("button", name="Terima Oki Pratama")
    expect(accept).to_be_visible()
    admin.get_by_role("button", name="Tolak Rudi Hartono").click()
    expect(asking.get_by_text("Ditolak")).to_be_visible()
    accept.click()
    expect(admin.get_by_text("Tidak ada yang menunggu")).to_be_visible()


def test_a_request_of_a_gap_in_the_stream_is_shown_after_it(
    app: Flask,
    open_as: OpenAs,
    people: dict[str, int],
    console_errors: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event is lost, as while Valkey is away, and it is not logged, so it is not replayed."""
    with app.app_context():
        directory.describe(Actor("Siti", campus=True), UKM, "Robot", listed=True)
    pages = [open_as("member", path) for path in ("/ukm", f"{BASE}/log", f"{BASE}/requests")]
    for page in pages:
        page.wait_for_selector('[data-stream="open"]')
    monkeypatch.setattr(pubsub, "publish_many", lambda _events: None)
    with app.app_context():
        join_requests.ask(people["operator"], UKM)
    pages[0].context.set_offline(True)
    pages[0].context.set_offline(False)  # the stream connects again
    expect(pages[0].locator("[data-requests]")).to_contain_text("1")
    expect(pages[1].locator("#open-requests")).to_contain_text("1")
    expect(pages[2].get_by_role("button", name="Terima Oki Pratama")).to_be_visible()
    drop_stream_errors(console_errors)


def test_a_reloaded_list_keeps_the_focus_even_after_the_session_ended(
    app: Flask, open_as: OpenAs, people: dict[str, int], console_errors: list[str]
) -> None:
    with app.app_context():
        directory.describe(Actor("Siti", campus=True), UKM, "Robot", listed=True)
        join_requests.ask(people["outsider"], UKM)
    admin = open_as("member", f"{BASE}/requests", PHONE)
    admin.wait_for_selector('[data-stream="open"]')
    accept = admin.get_by_role("button", name="Terima Rudi Hartono")
    accept.focus()
    with app.app_context():
        join_requests.ask(people["operator"], UKM)
    expect(admin.get_by_role("button", name="Terima Oki Pratama")).to_be_visible()
    expect(accept).to_be_focused()
    admin.context.clear_cookies()
    with admin.expect_response(re.compile("/login")), app.app_context():
        join_requests.withdraw(people["operator"], UKM)
    admin.evaluate("() => new Promise(requestAnimationFrame)")
    expect(accept).to_be_focused()
    drop_stream_errors(console_errors)


@pytest.mark.parametrize("texts", [["Halo"], []])
def test_the_number_of_readers_is_updated_live(
    app: Flask, open_as: OpenAs, people: dict[str, int], texts: list[str]
) -> None:
    with app.app_context():
        friend = db.session.get_one(User, people["friend"])
        for text in texts:
            messages.post(friend, UKM, text, "c")
        pins.pin_text(Actor("Siti", campus=True), UKM, "Rapat Jumat")
    admin = open_as("member", f"{BASE}/chat", PHONE)
    expect(admin.locator("#pin")).to_contain_text("dibaca 1 dari 2")
    open_as("friend", f"{BASE}/chat", PHONE)
    expect(admin.locator("#pin")).to_contain_text("dibaca 2 dari 2")
    page = open_as("member", f"{BASE}/readers", PHONE)
    expect(page.get_by_text("Farhan Hakim")).to_be_visible()
    check_look(page)


def test_a_phone_shows_all_pages_of_a_ukm(app: Flask, open_as: OpenAs) -> None:
    page = open_as("member", f"{BASE}/members", PHONE)
    tabs = page.locator(".tabs a")
    expect(tabs).to_have_count(5)
    for tab in tabs.all():
        expect(tab).to_be_in_viewport(ratio=1)
