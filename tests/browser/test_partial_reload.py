"""Reloading a part of a page keeps the focus, and open sections open."""

from collections.abc import Callable

import pytest
import redis
from flask import Flask
from playwright.sync_api import Page, expect

from myukm.db.session import transaction
from myukm.models import Siswa
from myukm.queues.failures import index
from tests.queues.test_failures import fail

OpenAs = Callable[..., Page]
RELOAD = """async id => {
    const address = document.querySelector('script[src*="core/app"]').src;
    const { reloadParts } = await import(new URL("../../js/core/partial_reload.js", address));
    document.getElementById(id).dataset.old = "";
    await reloadParts([id]);
    return !document.getElementById(id).matches("[data-old]");
}"""


def reload_part(page: Page, part_id: str) -> None:
    assert page.evaluate(RELOAD, part_id), "the part was not replaced"


def test_the_focus_stays_at_the_button_of_the_same_group(
    open_as: OpenAs, app: Flask, valkey: redis.Redis
) -> None:
    fail(valkey, "KeyError: 1", 3)
    fail(valkey, "ValueError: no")
    with app.app_context():
        index.refresh_all("default")
    page = open_as("admin", "/admin/antrian/gagal")
    button = page.get_by_role("button", name="Ulangi ValueError")
    button.focus()
    reload_part(page, "failures")
    expect(button).to_be_focused()


@pytest.fixture
def two_periods(app: Flask) -> None:
    sums = {"total_billed": 5, "total_paid": 0, "total_remaining": 5, "fully_paid": False}
    item = {"unit_name": "Juli", "amount_billed": 5, "amount_paid": 0, "remaining_balance": 5}
    categories = [{"category_name": "SPP", "summary": sums, "items": [item]}]
    periods = [
        {"period_id": period, "kelas_info": "VII A", "summary": sums, "categories": categories}
        for period in ("20262027", "20252026")
    ]
    facts = {"status": "tunggakan", "tunggakan": 10, "lebih_bayar": 0}
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="S1", nama="Aisyah", pembayaran=periods, **facts))


@pytest.mark.usefixtures("two_periods")
def test_sections_stay_open_and_closed(open_as: OpenAs) -> None:
    page = open_as("bendahara", "/admin/siswa/S1")
    first, second = page.locator(".period").nth(0), page.locator(".period").nth(1)
    for period in (first, second):
        period.locator("summary").click()
    expect(first).not_to_have_attribute("open", "")
    expect(second).to_have_attribute("open", "")
    reload_part(page, "siswa-detail")
    expect(first).not_to_have_attribute("open", "")
    expect(second).to_have_attribute("open", "")
    expect(second.locator("summary")).to_be_focused()
