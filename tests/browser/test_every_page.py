"""Every page: axe finds nothing, nothing scrolls sideways, light and dark, phone and desktop."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.models import Siswa, User
from tests.browser.conftest import DESKTOP, PHONE, check_axe, check_look

OpenAs = Callable[..., Page]
PAGES = [
    ("admin", "/admin/siswa"),
    ("admin", "/admin/siswa/S1"),
    ("admin", "/admin/impor-siswa"),
    ("admin", "/admin/tunggakan?group=unit&unit=(kosong)"),
    ("admin", "/admin/tunggakan/berkas"),
    ("admin", "/admin/penerimaan"),
    ("admin", "/admin/sync-pembayaran"),
    ("admin", "/admin/sync-pembayaran/runs"),
    ("admin", "/admin/antrian"),
    ("admin", "/admin/antrian/gagal"),
    ("admin", "/admin/log"),
    ("admin", "/admin/users"),
    ("admin", "/admin/users/import"),
    ("admin", "/admin/ukm"),
    ("admin", "/admin/ukm?arsip=1"),
    ("admin", "/admin/audit"),
    ("member", "/ukm"),
    ("member", "/ukm?arsip=1"),
    ("member", "/ukm/mentions"),
    ("member", "/ukm/directory"),
    ("member", "/ukm/search"),
    ("member", "/ukm/ROBOTIK/search?q=halo+sejak:2026"),
    ("member", "/ukm/ROBOTIK/chat"),
    ("member", "/saya/tagihan"),
    ("member", "/profile"),
    ("member", "/profile/notifications"),
    ("bendahara", "/profile/notifications"),
    ("member", "/tidak-ada"),
]


@pytest.fixture
def student(app: Flask, people: dict[str, int]) -> None:
    periods = [
        {
            "period_id": "20252026",
            "kelas_info": "X IPA 1",
            "summary": {"total_billed": 100, "total_paid": 40, "total_remaining": 60},
            "categories": [
                {
                    "category_name": "SPP",
                    "summary": {"total_billed": 100, "total_paid": 40, "total_remaining": 60},
                    "items": [
                        {
                            "unit_name": "Juli",
                            "amount_billed": "100",
                            "amount_paid": 40,
                            "remaining_balance": 60,
                        }
                    ],
                }
            ],
        }
    ]
    with app.app_context(), transaction() as session:
        row = Siswa(idperson="S1", nama='Aisyah "Ica" <Putri> 🌙', pembayaran=periods)
        row.synced_at, row.tunggakan, row.lebih_bayar = utcnow(), Decimal(60), Decimal(0)
        session.add(row)
        session.execute(update(User).where(User.nim == "2024001").values(idperson="S1"))


@pytest.mark.parametrize(("who", "path"), PAGES)
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    open_as: OpenAs, student: None, console_errors: list[str], who: str, path: str
) -> None:
    page = open_as(who, path, PHONE)
    check_look(page)
    console_errors[:] = [c for c in console_errors if "404" not in c or "tidak-ada" not in c]


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize("path", ["/login", "/register", "/reset-password"])
def test_axe_finds_nothing_on_the_pages_before_the_log_in(
    chromium, web, path: str, size: dict[str, int]
) -> None:
    page = chromium.new_page(viewport=size)
    page.goto(f"{web.url}{path}")
    check_axe(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent").strip()
    page.close()
