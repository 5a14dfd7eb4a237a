"""`transaction()`, `snapshot()` and the engine, on every database."""

import gc
import os
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor, wait
from decimal import Decimal
from subprocess import PIPE, Popen

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError, OperationalError

import config
from myukm import create_app
from myukm.db import engine
from myukm.db.session import snapshot, transaction
from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.models import Siswa
from tests.conftest import every_database


@every_database
def test_a_write_commits_and_an_error_rolls_back(app: Flask) -> None:
    with app.app_context():
        with transaction() as session:
            session.add(Siswa(idperson="1", nama="Aisyah 🌙"))
        with pytest.raises(ZeroDivisionError):
            add_then_fail()
        assert db.session.scalars(select(Siswa.nama)).all() == ["Aisyah 🌙"]


def add_then_fail() -> None:
    with transaction() as session:
        session.add(Siswa(idperson="2", nama="Bilal"))
        session.flush()
        raise ZeroDivisionError


@every_database
def test_money_and_moments_come_back_as_they_went_in(app: Flask) -> None:
    now, amount = utcnow(), Decimal("12345678901.25")
    with app.app_context():
        with transaction() as session:
            session.add(Siswa(idperson="1", nama="A", saldo=amount, synced_at=now))
        db.session.remove()
        student = db.session.scalars(select(Siswa)).one()
        assert (student.saldo, student.synced_at) == (amount, now)


@every_database
def test_ids_that_differ_only_in_case_are_two_students(app: Flask) -> None:
    with app.app_context():
        with transaction() as session:
            session.add_all([Siswa(idperson="a1", nama="A"), Siswa(idperson="A1", nama="B")])
        student = db.session.scalars(select(Siswa).where(Siswa.idperson == "A1")).one()
        assert student.nama == "B"


def test_a_write_after_a_read_succeeds_though_another_transaction_wrote_between(app: Flask) -> None:
    """On SQLite a transaction that has read fails to write after another transaction wrote."""
    with app.app_context():
        db.session.scalars(select(Siswa)).all()
        with app.app_context(), transaction() as session:
            session.add(Siswa(idperson="1", nama="A"))
        with transaction() as session:
            session.add(Siswa(idperson="2", nama="B"))
        assert len(db.session.scalars(select(Siswa)).all()) == 2


def add(app: Flask, number: int) -> None:
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson=str(number), nama="more"))


def test_many_writers_wait_for_each_other(app: Flask) -> None:
    """The first one holds the lock for half a second."""
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with app.app_context(), transaction() as session:
            session.add(Siswa(idperson="0", nama="first"))
            session.flush()
            held.set()
            go_on.wait(10)

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(hold)
        assert held.wait(10)
        others = [pool.submit(add, app, number) for number in range(1, 30)]
        assert not wait(others, timeout=0.5).done, "they wait"
        go_on.set()
        for task in (first, *others):
            task.result(10)
    with app.app_context():
        assert len(db.session.scalars(select(Siswa)).all()) == 30


# Takes SQLite's locks on writing and on recovery, and makes the index of the WAL invalid.
RECOVERING = """
import fcntl, os, sys
shm = os.open(sys.argv[1], os.O_RDWR)
for lock in (120, 122):
    fcntl.lockf(shm, fcntl.LOCK_EX, 1, lock)
os.pwrite(shm, bytes(136), 0)
print("recovers", flush=True)
sys.stdin.read()
"""


def test_a_writer_waits_for_a_process_that_recovers_the_wal(app: Flask) -> None:
    with app.app_context(), ThreadPoolExecutor(1) as pool:
        db.session.execute(select(1))  # opens the WAL
        program = (sys.executable, "-c", RECOVERING, f"{db.engine.url.database}-shm")
        with Popen(program, stdin=PIPE, stdout=PIPE, text=True) as other:
            assert other.stdout
            assert other.stdout.readline() == "recovers\n"
            adding = pool.submit(add, app, 1)
            wait([adding], 0.3)
            assert not adding.done()
            other.communicate()
        adding.result(10)


def test_a_writer_that_waits_too_long_gets_an_error(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "SQLITE_TIMEOUT", 0.05)
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="0", nama="first"))
        session.flush()
        with app.app_context(), pytest.raises(OperationalError, match="locked"), transaction():
            pass


def test_an_error_does_not_contain_the_values_of_the_statement(app: Flask) -> None:
    with app.app_context(), pytest.raises(IntegrityError) as caught, transaction() as session:
        session.add_all([Siswa(idperson="1", nama="rahasia"), Siswa(idperson="1", nama="rahasia")])
    assert "rahasia" not in str(caught.value)


@every_database
def test_a_fork_uses_no_connection_of_its_parent(app: Flask) -> None:
    with app.app_context():
        mine = connection_in_use()
        if (child := os.fork()) == 0:
            is_shared = True
            try:
                is_shared = connection_in_use() is mine
            finally:
                os._exit(is_shared)
        assert os.waitpid(child, 0)[1] == 0
        assert connection_in_use() is mine


def connection_in_use() -> object:
    """Return the driver's connection that the pool lends now."""
    with db.engine.connect() as connection:
        return connection.connection.driver_connection


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_snapshot_whose_connection_breaks_raises_that_error(app: Flask) -> None:
    """Pages answer 503 to a broken connection. If `snapshot` committed after the error, the
    commit's error would replace it, and pages would answer 500."""
    with app.app_context():
        with pytest.raises(OperationalError), snapshot() as session:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        with snapshot() as session:
            assert session.scalar(text("SELECT 1")) == 1


def test_a_snapshot_inside_a_transaction_is_refused(app: Flask) -> None:
    """It would commit the first half of the transaction."""
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="1", nama="A"))
        with pytest.raises(RuntimeError), snapshot():
            pass
        session.rollback()
        assert session.scalars(select(Siswa)).all() == []


def test_the_engine_of_a_collected_app_is_collected(settings: dict[str, str]) -> None:
    app = create_app(config.load(settings))
    with app.app_context():
        its_engine = weakref.ref(db.engine)
    del app
    for _ in range(2):  # the app, then its engine, which is kept in a WeakKeyDictionary by app
        gc.collect()
    assert its_engine() is None
