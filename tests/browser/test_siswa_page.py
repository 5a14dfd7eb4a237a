"""One student's page: "Sinkronkan sekarang" says what the sync waits for, also after a reload."""

from collections.abc import Callable
from urllib.parse import urljoin

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import update

from devtools.simulator.client import Simulator
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.models import Siswa, User
from tests.browser.conftest import PHONE, check_look
from tests.support.programs import Program

OpenAs = Callable[..., Page]
PAGE = "/admin/siswa/100001"


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url, "PEMBAYARAN_API_TRIES": "1"}


@pytest.fixture
def student(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="100001", nama="Siti Rahma"))


@pytest.mark.usefixtures("student")
def test_sync_now_says_what_it_waits_for(open_as: OpenAs, start: Callable[..., Program]) -> None:
    page = open_as("bendahara", PAGE)
    page.wait_for_selector('[data-stream="open"]')
    button = page.get_by_role("button", name="Sinkronkan sekarang")
    button.click()
    for reloaded in (False, True):
        if reloaded:
            page.reload()
        expect(page.locator("#outcome")).to_contain_text("tidak ada worker yang mendengarkan")
        expect(button).to_be_disabled()
    start("rq", "worker", "sync-pembayaran")
    expect(page.locator("#outcome")).to_contain_text("sudah diperbarui")
    expect(button).to_be_enabled()
    expect(page.locator("#siswa-history tbody tr")).to_have_count(1)


@pytest.mark.usefixtures("student")
def test_the_page_with_a_new_code_stays_live_and_can_change_its_language(
    open_as: OpenAs, start: Callable[..., Program]
) -> None:
    page = open_as("bendahara", PAGE)
    page.get_by_role("button", name="Buat kode penghubung").click()
    expect(page.locator(".link-code")).to_contain_text("Kode penghubung")
    page.wait_for_selector('[data-stream="open"]')
    start("rq", "worker", "sync-pembayaran")
    page.get_by_role("button", name="Sinkronkan sekarang").click()
    expect(page.locator("#siswa-history tbody tr")).to_have_count(1)
    page.locator(".nav-foot").get_by_role("button").click()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("h1")).to_have_text("Siti Rahma")


@pytest.mark.usefixtures("student")
def test_an_account_linked_after_the_page_was_opened_can_be_unlinked(
    app: Flask, open_as: OpenAs, people: dict[str, int], start: Callable[..., Program]
) -> None:
    page = open_as("bendahara", PAGE)
    page.wait_for_selector('[data-stream="open"]')
    with app.app_context(), transaction() as session:
        linked = {"idperson": "100001", "linked_by": "code", "linked_at": utcnow()}
        session.execute(update(User).where(User.id == people["member"]).values(**linked))
    start("rq", "worker", "sync-pembayaran")
    page.get_by_role("button", name="Sinkronkan sekarang").click()
    page.get_by_role("button", name="Lepaskan akun").click()
    page.locator("dialog[open]").get_by_role("button", name="Lepaskan").click()
    expect(page.get_by_role("button", name="Buat kode penghubung")).to_be_visible()


@pytest.mark.usefixtures("student")
def test_a_waiting_student_looks_right_on_a_phone(open_as: OpenAs) -> None:
    page = open_as("bendahara", PAGE, PHONE)
    page.get_by_role("button", name="Sinkronkan sekarang").click()
    expect(page.locator("#outcome")).to_contain_text("tidak ada worker")
    check_look(page)


@pytest.fixture
def marked(app: Flask) -> None:
    """A student with every badge and the longest amounts."""
    items = [
        {"unit_name": "Juli", "amount_billed": 0, "amount_paid": much, "remaining_balance": -much}
        for much in (12_650_000, -27_850_000)
    ]
    sums = {"total_billed": 0, "total_paid": 0, "total_remaining": 0}
    categories = [{"category_name": "SPP", "summary": sums, "items": items}]
    period = {"period_id": "20262027", "summary": sums, "categories": categories}
    facts = {"status": "tunggakan", "tunggakan": 27_850_000, "lebih_bayar": 12_650_000}
    marks = {"tidak_cocok": True, "active": False}
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="100001", nama="Siti", pembayaran=[period], **facts, **marks))


@pytest.mark.usefixtures("marked")
@pytest.mark.parametrize("path", [PAGE, "/admin/siswa?filter=tidak_cocok"])
def test_badges_and_amounts_stay_in_their_cells_on_a_phone(open_as: OpenAs, path: str) -> None:
    page = open_as("bendahara", path, PHONE)
    for language in ("en", "id"):
        assert page.request.post(urljoin(page.url, "/language"), form={"lang": language}).ok
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator(".badges .badge")).to_have_count(3)
        outside = page.locator(":is(td, dd):visible").evaluate_all(
            "all => all.filter(e => e.scrollWidth > e.clientWidth).map(e => e.outerHTML)"
        )
        assert outside == [], language
        check_look(page)
