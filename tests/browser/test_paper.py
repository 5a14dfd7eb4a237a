"""The list and the statements of unpaid bills on paper: complete, on numbered pages."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page

from myukm.db.session import transaction
from myukm.models import Siswa
from tests.browser.conftest import check_look
from tests.support.servers import need

OpenAs = Callable[..., Page]
COUNT = 120
NO_PRINTER = "window.print = () => (document.documentElement.dataset.printed = 1)"


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    return settings | {"SCHOOL_NAME": "Pondok Pesantren Al-Hikmah"}


def print_to_text(page: Page, file: Path) -> str:
    """Print a page that has called `window.print`, and return the text of its sheets."""
    pdftotext = need(shutil.which("pdftotext"), "poppler-utils")
    page.wait_for_selector("html[data-printed]")
    page.pdf(path=file, prefer_css_page_size=True)
    text = subprocess.check_output([pdftotext, "-layout", file, "-"], text=True)
    return text.replace("\u00a0", " ")


def test_the_printed_list_has_every_student_of_the_filter(
    app: Flask, open_as: OpenAs, tmp_path: Path
) -> None:
    owing = {"status": "tunggakan", "tunggakan": 1000, "lebih_bayar": 0, "lunas": False}
    with app.app_context(), transaction() as session:
        for n in range(COUNT):
            unit = ("MTs", "MA")[n % 2]
            session.add(Siswa(idperson=f"S{n:03}", nama=f"Nama {n}", unit_formal=unit, **owing))
    page = open_as("bendahara", "/admin/tunggakan?unit=MTs")
    # Headless Chromium would wait for a printer for ever.
    page.add_init_script(NO_PRINTER)
    page.get_by_role("link", name="Cetak", exact=True).click()
    page.wait_for_url("**/cetak?unit=MTs")
    text = print_to_text(page, tmp_path / "list.pdf")
    printed = {word for word in text.split() if word.startswith(("S0", "S1"))}
    assert printed == {f"S{n:03}" for n in range(0, COUNT, 2)}
    sheets = text.count("\f")
    assert all(f"{n}/{sheets}" in text.replace(" ", "") for n in range(1, sheets + 1))
    assert "Pondok Pesantren Al-Hikmah" in text
    assert re.search(r"Unit\s+MTs", text)
    assert "Rp 60.000" in text
    assert "Sinkronisasi" not in text
    page.click("text=Kembali ke daftar")
    page.wait_for_url("**/admin/tunggakan?unit=MTs")


def periods(n: int) -> list[dict[str, Any]]:
    """Return payments of two periods with fifty bills each, of which the last is unpaid."""
    found = []
    for period in ("20252026", "20262027"):
        remaining = [0] * 49 + [1000 * n]
        items = [
            {"unit_name": f"Tagihan-{n}-{period}-{k}", "amount_billed": 1000 * n}
            | {"amount_paid": 1000 * n - rest, "remaining_balance": rest}
            for k, rest in enumerate(remaining)
        ]
        billed, left = 50_000 * n, 1000 * n
        sums = {
            "total_billed": billed,
            "total_paid": billed - left,
            "total_remaining": left,
            "fully_paid": False,
        }
        category = {"category_name": "SPP", "summary": sums, "items": items}
        head = {"period_id": period, "kelas_info": "VII A", "summary": sums}
        found.append(head | {"categories": [category]})
    return found


def test_statements_of_a_class_have_every_bill_and_each_begins_a_new_sheet(
    app: Flask, open_as: OpenAs, tmp_path: Path
) -> None:
    with app.app_context(), transaction() as session:
        for n in range(1, 5):
            owing = {"status": "tunggakan", "tunggakan": 2000 * n, "lebih_bayar": 0}
            place = {"unit_formal": "MTs", "kelas_formal": "VII A" if n < 4 else "VII B"}
            names = {"idperson": f"S{n:03}", "nama": f"Santri {n}"}
            session.add(Siswa(pembayaran=periods(n), **owing, **place, **names))
    page = open_as("bendahara", "/admin/tunggakan?kelas=VII+A")
    page.add_init_script(NO_PRINTER)
    page.click("text=Cetak per siswa")
    page.wait_for_url("**/statements?kelas=VII**")
    text = print_to_text(page, tmp_path / "class.pdf")
    check_look(page)
    bills = [
        f"Tagihan-{n}-{p}-{k}" for n in (1, 2, 3) for p in (20252026, 20262027) for k in range(50)
    ]
    assert sorted(re.findall(r"Tagihan-\d-\d+-\d+", text)) == sorted(bills)
    sheets = text.split("\f")[:-1]
    assert all(f"{n}/{len(sheets)}" in sheet.replace(" ", "") for n, sheet in enumerate(sheets, 1))
    for n, words in ((1, "dua ribu rupiah"), (2, "empat ribu rupiah"), (3, "enam ribu rupiah")):
        own = [sheet for sheet in sheets if f"Tagihan-{n}-" in sheet]
        assert f"Santri {n}" in own[0]
        assert "Pondok Pesantren Al-Hikmah" in own[0]
        assert words in own[0]
        assert all(f"Santri {n}" in sheet for sheet in own)
        assert not any(f"Tagihan-{other}-" in sheet for sheet in own for other in {1, 2, 3} - {n})
    assert "Santri 4" not in text
    for sheet in sheets:  # no row is cut: a bill's name and its amounts are on one sheet
        for line in sheet.splitlines():
            if "Tagihan-" in line:
                assert line.count("Rp") == 3
