"""One student's page: "Sinkronkan sekarang" says what it waits for, also after a reload."""

from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from myukm.database import write
from myukm.demo.simulator.client import Simulator
from myukm.models import Siswa
from tests.browser.conftest import PHONE, check_look
from tests.support.programs import Program

OpenAs = Callable[..., Page]
PAGE = "/admin/siswa/100001"


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url, "PEMBAYARAN_API_TRIES": "1"}


@pytest.fixture
def student(app: Flask) -> None:
    with app.app_context(), write() as session:
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
    expect(page.locator("#outcome")).to_contain_text("sudah diperbarui", timeout=20_000)
    expect(button).to_be_enabled()
    expect(page.locator("#siswa-history tbody tr")).to_have_count(1)


@pytest.mark.usefixtures("student")
def test_a_waiting_student_looks_right_on_a_phone(open_as: OpenAs) -> None:
    page = open_as("bendahara", PAGE, PHONE)
    page.get_by_role("button", name="Sinkronkan sekarang").click()
    expect(page.locator("#outcome")).to_contain_text("tidak ada worker")
    check_look(page)
