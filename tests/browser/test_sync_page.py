"""The sync page as a treasurer lives with it: from the button to 100 % without a reload."""

import re
from collections.abc import Callable

import pytest
import requests
from flask import Flask
from playwright.sync_api import Page, expect
from sqlalchemy import insert

from devtools.simulator.client import Simulator
from myukm.db.session import transaction
from myukm.models import Siswa
from tests.support.programs import Program

OpenAs = Callable[..., Page]
PAGE = "/admin/sync-pembayaran"
LIVE = '[data-stream="open"]'


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url, "PEMBAYARAN_API_TRIES": "1"}


@pytest.fixture
def students(app: Flask, simulator: Simulator) -> int:
    """Two hundred students of whom six fail."""
    roster = requests.get(f"{simulator.url}/siswa", timeout=10).json()["data"]
    ids = sorted(student["idperson"] for student in roster)
    simulator.set(fail={"404": ids[:6]})
    with app.app_context(), transaction() as session:
        session.execute(insert(Siswa), [{"idperson": i, "nama": f"Siswa {i}"} for i in ids])
    return len(ids)


def open_live(open_as: OpenAs, who: str) -> Page:
    page = open_as(who, PAGE)
    page.wait_for_selector(LIVE)
    return page


def test_a_run_from_the_button_to_the_end_in_every_tab(
    open_as: OpenAs, students: int, start: Callable[..., Program]
) -> None:
    start("rq", "worker", "sync-pembayaran")
    page, second = open_live(open_as, "bendahara"), open_live(open_as, "admin")
    page.get_by_role("button", name="Mulai Sinkronisasi").click()
    for tab in (page, second):
        expect(tab.locator("#sync-status")).to_contain_text("Selesai", timeout=30_000)
        expect(tab.locator("#sync")).to_contain_text(re.compile(r"100\s*%"))
        expect(tab.locator("#sync")).to_contain_text(str(students - 6))
    page.reload()
    expect(page.locator("#sync-status")).to_contain_text("Selesai")


def test_buttons_are_there_only_when_they_make_sense(open_as: OpenAs, students: int) -> None:
    page = open_live(open_as, "bendahara")
    expect(page.get_by_role("button", name="Batalkan")).to_be_disabled()
    page.get_by_role("button", name="Mulai Sinkronisasi").click()
    expect(page.get_by_role("button", name="Mulai Sinkronisasi")).to_be_disabled()
    page.get_by_role("button", name="Batalkan").click()
    page.locator("dialog[open]").get_by_role("button", name=re.compile("^Batalkan")).click()
    expect(page.locator("#sync-status")).to_contain_text("Dibatalkan", timeout=20_000)


def test_an_operator_looks_and_cannot_act(open_as: OpenAs, students: int) -> None:
    page = open_live(open_as, "operator")
    assert page.get_by_role("button", name="Mulai Sinkronisasi").count() == 0


def test_a_run_that_no_worker_takes_says_so_where_the_eye_is(
    open_as: OpenAs, students: int
) -> None:
    page = open_live(open_as, "bendahara")
    page.get_by_role("button", name="Mulai Sinkronisasi").click()
    expect(page.locator("#sync")).to_contain_text("tidak ada worker", timeout=15_000)
