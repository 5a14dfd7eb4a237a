"""The rows of `tagihan` equal the bills in the stored JSON, on every database."""

import json
from collections.abc import Iterator
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from flask import Flask

from myukm.db.session import transaction
from myukm.domain.payment_api.parser import parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.siswa import bill_table
from myukm.domain.siswa.bill_table import Difference
from myukm.domain.sync import results
from myukm.extensions import db
from myukm.models import PaymentLoss, Siswa, Tagihan
from tests.conftest import every_database
from tests.support.bills import random_students

EVERYBODY = {f"{n:03}": periods for n, periods in enumerate(random_students(seed=14, count=120), 1)}
NOTHING = {"total_billed": 0, "total_paid": 0, "total_remaining": 0, "fully_paid": True}


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        with transaction() as session:
            session.add_all(Siswa(idperson=one, nama=f"Nama {one}") for one in EVERYBODY)
        yield app


def take_in(answers: dict[str, list[Any]], *, dry_run: bool = False) -> None:
    items = []
    for idperson, periods in answers.items():
        account = {"idperson": idperson, "saldo": 0, "periods": periods}
        answer = parse(json.dumps({"data": [account]}).encode(), idperson)
        items.append(Item(1, idperson, answer=answer))
    with transaction() as session:
        results.take_in(session, None, items, dry_run=dry_run, guarded=False)


def period(name: str, *items: tuple[str, float]) -> dict[str, Any]:
    rows = [
        {"unit_name": unit, "amount_billed": rest, "amount_paid": 0, "remaining_balance": rest}
        for unit, rest in items
    ]
    category = {"category_name": "SPP", "summary": NOTHING, "items": rows}
    return {"period_id": name, "kelas_info": "VII A", "summary": NOTHING, "categories": [category]}


def rows_of(idperson: str) -> list[tuple[Any, ...]]:
    """Return a student's rows, read in a new transaction."""
    db.session.rollback()
    query = sa.select(*(getattr(Tagihan, name) for name in ("position", *bill_table.COLUMNS)))
    query = query.join(Siswa, Siswa.id == Tagihan.siswa_id).where(Siswa.idperson == idperson)
    return [tuple(row) for row in db.session.execute(query.order_by(Tagihan.position))]


def differences() -> tuple[int, list[Difference]]:
    db.session.rollback()
    checked, found = 0, []
    for number, differing in bill_table.check():
        checked += number
        found += differing
    return checked, found


@every_database
@pytest.mark.usefixtures("inside")
def test_every_bill_is_a_row_and_a_changed_student_has_new_rows() -> None:
    take_in(EVERYBODY)
    assert differences() == (120, [])
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Tagihan)) > 300  # type: ignore[operator]
    odd = period("20252026 ", ("  Juli\u00a0\x07 2025", 99_999.5), ("", -0.3), ("", -2))
    take_in({"001": [odd], "002": [], "003": EVERYBODY["004"]})
    assert rows_of("001") == [
        (0, "20252026", "VII A", "SPP", "Juli 2025", 9999950, 0, 9999950),
        (1, "20252026", "VII A", "SPP", "", -30, 0, 0),
        (2, "20252026", "VII A", "SPP", "", -200, 0, -200),
    ]
    assert rows_of("002") == []
    assert rows_of("003") == rows_of("004")
    assert differences() == (120, [])


@every_database
@pytest.mark.usefixtures("inside")
def test_repeated_and_unnamed_items_are_bills_of_their_own() -> None:
    take_in({"001": [period("1", ("Juli", 5), ("Juli", 5), ("", 7))]})
    assert [row[4:] for row in rows_of("001")] == [
        ("Juli", 500, 0, 500),
        ("Juli", 500, 0, 500),
        ("", 700, 0, 700),
    ]
    take_in({"001": [period("1", ("Juli", 5))]})
    lost = db.session.scalars(sa.select(PaymentLoss)).one()
    assert (lost.vanished, lost.vanished_billed, lost.vanished_name) == (2, 1200, "1 · SPP · Juli")
    assert differences() == (120, [])


@every_database
@pytest.mark.usefixtures("inside")
def test_a_loss_lasts_until_the_bills_change_again() -> None:
    bills = [period("1", ("Juli", 5))]
    for answer, lost in ((bills, 0), ([], 1), ([], 1), (bills, 0)):
        take_in({"001": answer})
        assert len(db.session.scalars(sa.select(PaymentLoss)).all()) == lost
        with transaction() as session:  # as an upgrade does that computes digests in another way
            session.execute(sa.update(Siswa).values(digest=None))


@pytest.mark.usefixtures("inside")
def test_a_dry_run_writes_no_rows() -> None:
    take_in({"001": [period("1", ("Juli", 5))]}, dry_run=True)
    assert rows_of("001") == []


@every_database
def test_an_upgrade_writes_the_rows_of_stored_bills(
    inside: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    take_in(EVERYBODY)
    flask_migrate.downgrade(revision="0015")
    with transaction() as session:
        session.execute(sa.update(Siswa).values(phone="0811", asrama_pondok="Ibnu Ṣīnā"))
    flask_migrate.upgrade()
    assert "Tagihan ditulis per baris: 120 dari 120 siswa." in capsys.readouterr().out
    assert differences() == (120, [])
    db.session.rollback()
    found = sa.select(sa.func.count()).where(Siswa.search_text.contains("ibnu sina 0811"))
    assert db.session.scalar(found) == 120


@every_database
@pytest.mark.usefixtures("inside")
def test_an_interrupted_upgrade_writes_the_missing_rows() -> None:
    take_in(EVERYBODY)
    with transaction() as session:
        session.execute(sa.delete(Tagihan).where(Tagihan.siswa_id > 60))
    flask_migrate.stamp(revision="0015")
    flask_migrate.upgrade()
    assert differences() == (120, [])


@pytest.mark.usefixtures("inside")
def test_the_check_names_each_student_that_differs() -> None:
    take_in(EVERYBODY)
    owing = next(one for one in EVERYBODY if rows_of(one))
    with transaction() as session:
        key = session.scalar(sa.select(Siswa.id).where(Siswa.idperson == owing))
        session.execute(sa.update(Tagihan).where(Tagihan.siswa_id == key).values(paid=1))
        session.execute(sa.update(Siswa).where(Siswa.idperson == "120").values(tunggakan=7))
    assert differences()[1] == [Difference(owing, "tagihan"), Difference("120", "tunggakan")]
