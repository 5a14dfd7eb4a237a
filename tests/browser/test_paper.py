"""The list of who owes what on paper: every student of the filter, on numbered pages."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from playwright.sync_api import Page

from myukm.db.session import transaction
from myukm.models import Siswa
from tests.support.servers import need

OpenAs = Callable[..., Page]
COUNT = 120


def test_the_printed_list_has_every_student_of_the_filter(
    app: Flask, open_as: OpenAs, tmp_path: Path
) -> None:
    pdftotext = need(shutil.which("pdftotext"), "poppler-utils")
    owing = {"status": "tunggakan", "tunggakan": 1000, "lebih_bayar": 0, "lunas": False}
    with app.app_context(), transaction() as session:
        for n in range(COUNT):
            unit = ("MTs", "MA")[n % 2]
            session.add(Siswa(idperson=f"S{n:03}", nama=f"Nama {n}", unit_formal=unit, **owing))
    page = open_as("bendahara", "/admin/tunggakan?unit=MTs")
    # Headless Chromium would wait for a printer for ever.
    page.add_init_script("window.print = () => (document.documentElement.dataset.printed = 1)")
    page.click("text=Cetak")
    page.wait_for_url("**/cetak?unit=MTs")
    page.wait_for_selector("html[data-printed]")
    page.pdf(path=tmp_path / "list.pdf", prefer_css_page_size=True)
    text = subprocess.check_output([pdftotext, "-layout", tmp_path / "list.pdf", "-"], text=True)
    printed = {word for word in text.split() if word.startswith(("S0", "S1"))}
    assert printed == {f"S{n:03}" for n in range(0, COUNT, 2)}
    sheets = text.count("\f")
    assert all(f"{n}/{sheets}" in text.replace(" ", "") for n in range(1, sheets + 1))
    assert "Rp 60.000" in text.replace("\u00a0", " ")
    assert "Sinkronisasi" not in text
    page.click("text=Kembali ke daftar")
    page.wait_for_url("**/admin/tunggakan?unit=MTs")
