"""A sync that lowers what was paid or drops a bill stores a loss."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from myukm.db.session import transaction
from myukm.domain.payment_api.parser import parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.siswa import owing
from myukm.domain.siswa.filters import parse as filters_of
from myukm.domain.sync import results
from myukm.models import Siswa
from tests.conftest import every_database
from tests.support.bills import summary

Items = list[tuple[str, int, int]]


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        with transaction() as session:
            session.add(Siswa(idperson="1", nama="Siti", unit_formal="MTs"))
        yield app


def sync(*bills: tuple[str, int, int], dry_run: bool = False) -> dict[str, Any]:
    """Sync these bills (name, billed, paid) as the API's answer; return the report."""
    items = [
        {"unit_name": n, "amount_billed": b, "amount_paid": p, "remaining_balance": b - p}
        for n, b, p in bills
    ]
    part = {"summary": summary(items), "items": items, "category_name": "SPP"}
    period = {"period_id": "20252026", "kelas_info": "VII", "summary": summary(items)}
    account = {"idperson": "1", "saldo": 0, "periods": [period | {"categories": [part]}]}
    answer = parse(json.dumps({"data": [account]}).encode(), "1")
    with transaction() as session:
        items_ = [Item(1, "1", answer=answer)]
        results.take_in(session, None, items_, dry_run=dry_run, guarded=False)
    return owing.as_json(owing.report(filters_of({})))


def marks(report: dict[str, Any]) -> list[str]:
    return [name for name, count in report["implausible"].items() if count]


@every_database
@pytest.mark.usefixtures("inside")
def test_lower_payments_and_vanished_bills_are_listed_with_old_and_new_figures() -> None:
    assert marks(sync(("Juli", 100, 100), ("Juli", 100, 50), ("Agustus", 100, 0))) == []
    report = sync(("Juli", 100, 100), ("Juli", 100, 40), ("Agustus", 100, 0))
    assert marks(report) == ["dibayar_turun"]
    loss = report["siswa"][0]["loss"]
    assert (loss["paid_before"], loss["paid_after"], loss["vanished"]) == ("150", "140", 0)
    assert loss["at"] >= report["siswa"][0]["synced_at"]
    report = sync(("Juli", 100, 140), ("Agustus", 100, 0))
    assert marks(report) == ["tagihan_hilang"]
    loss = report["siswa"][0]["loss"]
    assert (loss["vanished"], loss["vanished_billed"]) == (1, "100")
    assert loss["vanished_name"] == "20252026 · SPP · Juli"
    for status, count in (("tagihan_hilang", 1), ("dibayar_turun", 0)):
        assert owing.report(filters_of({"status": [status]})).total.siswa == count
    assert owing.report(filters_of({"unit": ["MA"]})).implausible["tagihan_hilang"] == 0


@pytest.mark.usefixtures("inside")
def test_a_loss_is_stored_until_the_payments_change_again() -> None:
    sync(("Juli", 100, 100))
    assert marks(sync(("Juli", 100, 90))) == ["dibayar_turun"]
    assert marks(sync(("Juli", 100, 90))) == ["dibayar_turun"]
    report = sync(("Juli", 100, 100))
    assert (marks(report), report["siswa"][0]["loss"]) == ([], None)


@pytest.mark.usefixtures("inside")
def test_a_dry_run_stores_no_loss() -> None:
    sync(("Juli", 100, 100))
    assert marks(sync(("Juli", 100, 90), dry_run=True)) == []
