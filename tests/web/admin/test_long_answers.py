"""A web process answers other requests while it renders a long page."""

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
import requests
import sqlalchemy as sa
from flask import Flask

from myukm.db.session import transaction
from myukm.models import Siswa, Tagihan
from tests.support.programs import WebServer

COUNT, MAX_STATEMENTS = 4000, 500


@pytest.fixture
def students(app: Flask) -> None:
    item = {"unit_name": "Juli", "amount_billed": 9, "amount_paid": 0, "remaining_balance": 9}
    summary = {"total_billed": 9, "total_paid": 0, "total_remaining": 9, "fully_paid": False}
    spp = {"category_name": "SPP", "summary": summary, "items": [item] * 24}
    period = {"period_id": "1", "kelas_info": "VII", "summary": summary, "categories": [spp]}
    owing = {"status": "tunggakan", "tunggakan": 54, "lebih_bayar": 0, "pembayaran": [period] * 6}
    rows = [
        {
            "idperson": f"{n}",
            "nama": f"Nama {n}",
            "kelas_formal": f"{n // MAX_STATEMENTS}",
            **owing,
        }
        for n in range(COUNT)
    ]
    with app.app_context(), transaction() as session:
        session.execute(sa.insert(Siswa), rows)
        bill = {"period_id": "1", "kelas": "", "category": "SPP", "item": "Juli", "paid": 0}
        bills = [
            {"siswa_id": key, "position": n, "billed": 9, "remaining": 9, **bill}
            for key in session.scalars(sa.select(Siswa.id))
            for n in range(20)
        ]
        session.execute(sa.insert(Tagihan), bills)


@pytest.mark.parametrize("path", ["/admin/tunggakan/cetak", "/admin/tunggakan/statements?kelas=1"])
@pytest.mark.usefixtures("students")
def test_other_requests_are_answered_while_a_long_page_is_rendered(
    web: WebServer, session_as: Callable[[str], requests.Session], path: str
) -> None:
    treasurer, answers = session_as("bendahara"), list[requests.Response]()
    treasurer.get(f"{web.url}/admin/tunggakan", timeout=30)  # compiles the templates

    def ask() -> None:
        answers.append(treasurer.get(f"{web.url}{path}", timeout=60))

    asking = threading.Thread(target=ask)
    moments = [time.monotonic()]
    asking.start()
    with requests.Session() as other:
        while asking.is_alive():
            assert other.get(f"{web.url}/healthz", timeout=60).ok
            moments.append(time.monotonic())
    asking.join()
    assert answers[0].status_code == 200
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert max(waits) < sum(waits) / 2, f"one request waited for half of the long response: {waits}"
