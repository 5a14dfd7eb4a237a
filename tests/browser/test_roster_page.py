"""An import of students with a real worker, and a member's own bills after the log-out."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.models import Siswa, User
from tests.browser.conftest import PHONE, check_look
from tests.support.programs import Program
from tests.support.workers import WORKER

OpenAs = Callable[..., Page]
TEXT = "idperson,nama,phone\n1,Ani,081\n2,Budi,082\n3,Cici," + "0" * 40 + "\n"


def names(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Siswa.nama).order_by(Siswa.idperson)))


def test_an_import_is_previewed_applied_and_undone(
    app: Flask, open_as: OpenAs, start: Callable[..., Program], tmp_path: Path
) -> None:
    start(*WORKER, "default")
    file = tmp_path / "siswa.csv"
    file.write_text(TEXT)
    page = open_as("bendahara", "/admin/siswa", PHONE)
    page.get_by_role("link", name="Impor siswa").first.click()
    page.set_input_files("#roster", file)
    page.get_by_role("button", name="Lihat pratinjau").click()
    apply = page.get_by_role("button", name="Terapkan 2 perubahan")
    expect(apply).to_be_visible(timeout=30_000)
    expect(page.get_by_text("phone lebih dari 32 karakter")).to_be_visible()
    check_look(page)
    assert names(app) == []
    apply.click()
    undo = page.get_by_role("button", name="Batalkan impor ini")
    expect(undo).to_be_visible(timeout=30_000)
    assert names(app) == ["Ani", "Budi"]
    undo.click()
    page.locator("#confirm-undo").get_by_role("button", name="Batalkan impor").click()
    expect(page.locator(".page-head .badge")).to_have_text("Dibatalkan")
    assert names(app) == []


@pytest.fixture
def student(app: Flask, people: dict[str, int]) -> None:
    with app.app_context(), transaction() as session:
        row = Siswa(idperson="S1", nama="Mega Lestari", status="tunggakan", synced_at=utcnow())
        row.tunggakan, row.lebih_bayar, row.pembayaran = Decimal(60), Decimal(0), []
        session.add(row)
        linked = update(User).where(User.id == people["member"])
        session.execute(linked.values(idperson="S1", linked_by="code", linked_at=utcnow()))


@pytest.mark.usefixtures("student")
def test_after_the_log_out_the_back_button_shows_no_bills(
    open_as: OpenAs, console_errors: list[str]
) -> None:
    page = open_as("member", "/ukm", PHONE)
    page.get_by_role("link", name="Tagihan saya").first.click()
    expect(page.locator(".owed-amount")).to_have_text("Rp\u00a060")
    page.get_by_role("button", name="Menu Mega Lestari").click()
    page.locator("#menu").get_by_role("button", name="Keluar").click()
    page.wait_for_url("**/login**")
    page.go_back()
    page.wait_for_url("**/login**")
    expect(page.get_by_text("Rp\u00a060")).to_have_count(0)
    console_errors[:] = [line for line in console_errors if " 401 " not in line]
