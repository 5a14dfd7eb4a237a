"""The page of received payments in a browser: appearance, one month, and paper."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from myukm.db.session import transaction
from myukm.domain.income import journal
from myukm.models import ClosedDay, DailyBalance
from tests.browser.conftest import PHONE, check_look
from tests.support.servers import need

OpenAs = Callable[..., Page]
NOTHING = dict.fromkeys(("owed", "overpaid", "paid", "received", "corrected", "lost"), 0)


@pytest.fixture
def months(app: Flask) -> list[str]:
    """This month and the eleven before; two units received in each of them, the oldest least."""
    with app.app_context(), transaction() as session:
        first = date.fromisoformat(journal.today()).replace(day=1)
        found = []
        for number in range(12):
            found.append(f"{first:%Y-%m}")
            session.add(ClosedDay(day=first.isoformat()))
            for unit in ("MTs", "Institut Agama dan Teknologi"):
                sums = {"received": (12 - number) * 10**8, "corrected": 4 * 10**8, "owed": 10**10}
                where = {"day": first.isoformat(), "unit": unit, "category": "Uang Makan"}
                session.add(DailyBalance(**where, **NOTHING | sums | {"lost": 5_000}))
            first = (first - timedelta(days=1)).replace(day=1)
    return found


def test_the_bars_show_twelve_months_and_a_month_opens_its_parts(
    open_as: OpenAs, months: list[str]
) -> None:
    page = open_as("bendahara", "/admin/penerimaan", PHONE)
    check_look(page)
    expect(page.locator(".income-bars li")).to_have_count(12)
    heights = [
        bar.bounding_box()["height"]  # type: ignore[index]
        for bar in page.locator(".income-bars .received").all()
    ]
    assert heights == sorted(heights)
    assert heights[-1] > 5 * heights[0] > 0
    page.locator("tbody .row-link").nth(3).click()
    page.wait_for_url(f"**/admin/penerimaan?month={months[3]}#parts")
    expect(page.locator("tbody [aria-current]")).to_have_count(1)
    expect(page.locator("#parts")).to_contain_text("Rp\u00a09.000.000")


def test_the_printed_page_has_the_figures_on_at_most_two_sheets(
    open_as: OpenAs, months: list[str], tmp_path: Path
) -> None:
    pdftotext = need(shutil.which("pdftotext"), "poppler-utils")
    page = open_as("bendahara", "/admin/penerimaan")
    page.pdf(path=tmp_path / "income.pdf", prefer_css_page_size=True)
    text = subprocess.check_output([pdftotext, "-layout", tmp_path / "income.pdf", "-"], text=True)
    text = text.replace("\u00a0", " ")
    assert text.count("\f") <= 2
    assert "Rp 24.000.000" in text
    assert "Institut Agama dan Teknologi" in text
    assert "CSV" not in text
