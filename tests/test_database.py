"""The one way to write, on every database."""

from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from myukm.database import utcnow, write
from myukm.extensions import db
from myukm.models import Siswa
from tests.conftest import every_database


@every_database
def test_a_write_commits_and_an_error_rolls_back(app: Flask) -> None:
    with app.app_context():
        with write() as session:
            session.add(Siswa(idperson="1", nama="Aisyah 🌙"))
        with pytest.raises(ZeroDivisionError):
            add_then_fail()
        assert db.session.scalars(select(Siswa.nama)).all() == ["Aisyah 🌙"]


def add_then_fail() -> None:
    with write() as session:
        session.add(Siswa(idperson="2", nama="Bilal"))
        session.flush()
        raise ZeroDivisionError


@every_database
def test_money_and_moments_come_back_as_they_went_in(app: Flask) -> None:
    now, amount = utcnow(), Decimal("12345678901.25")
    with app.app_context():
        with write() as session:
            session.add(Siswa(idperson="1", nama="A", saldo=amount, synced_at=now))
        db.session.remove()
        student = db.session.scalars(select(Siswa)).one()
        assert (student.saldo, student.synced_at) == (amount, now)


@every_database
def test_ids_that_differ_only_in_case_are_two_students(app: Flask) -> None:
    with app.app_context():
        with write() as session:
            session.add_all([Siswa(idperson="a1", nama="A"), Siswa(idperson="A1", nama="B")])
        student = db.session.scalars(select(Siswa).where(Siswa.idperson == "A1")).one()
        assert student.nama == "B"


def test_a_read_before_a_write_is_no_locked_database(app: Flask) -> None:
    """On SQLite a transaction that read first fails when another one wrote meanwhile."""
    with app.app_context():
        db.session.scalars(select(Siswa)).all()
        with app.app_context(), write() as session:
            session.add(Siswa(idperson="1", nama="A"))
        with write() as session:
            session.add(Siswa(idperson="2", nama="B"))
        assert len(db.session.scalars(select(Siswa)).all()) == 2
