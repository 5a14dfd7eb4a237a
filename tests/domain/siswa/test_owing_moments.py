"""All figures of a report are of one moment, also while a run writes."""

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from myukm.db.session import transaction
from myukm.domain.siswa import owing
from myukm.domain.siswa.filters import GROUPS
from myukm.domain.siswa.filters import parse as filters_of
from myukm.models import Siswa, Tagihan
from tests.conftest import every_database
from tests.support.bill_rows import give_sets

STUDENTS, MOMENTS = 40, 10


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        with transaction() as session:
            for key in range(1, STUDENTS + 1):
                name = {"idperson": f"{key}", "nama": f"Nama {key}", "unit_formal": f"U{key % 3}"}
                session.add(Siswa(id=key, **name))
            for key in range(1, STUDENTS + 1):
                bill = {"period_id": "1", "kelas": "", "category": "SPP", "item": "", "paid": 0}
                session.add(Tagihan(siswa_id=key, position=0, billed=0, remaining=0, **bill))
            give_sets(session)
        owe(1)
        yield app


def owe(rupiah: int) -> None:
    """Set the same debt for all students in one transaction, as a lane's turn does."""
    with transaction() as session:
        owed = {"tunggakan": rupiah, "lebih_bayar": 0, "lunas": False, "status": "tunggakan"}
        session.execute(sa.update(Siswa).values(**owed))
        session.execute(sa.update(Tagihan).values(remaining=rupiah * 100))


def write_until(done: threading.Event, app: Flask) -> None:
    amount = 1
    with app.app_context():
        while not done.is_set():
            owe(amount := amount + 1)


@every_database
def test_totals_groups_and_lines_of_a_report_agree_while_others_write(inside: Flask) -> None:
    done = threading.Event()
    writer = threading.Thread(target=write_until, args=(done, inside))
    writer.start()
    seen = set()
    try:
        while len(seen) < MOMENTS:
            assert writer.is_alive()
            group = GROUPS[len(seen) % len(GROUPS)]
            narrow = {"period": ["1"]} if len(seen) % 2 else {}
            report = owing.report(filters_of({"group": [group], **narrow}))
            (debt,) = {line.tunggakan for line in report.page.items}
            assert report.total.tunggakan == STUDENTS * debt
            assert sum(one.figures.tunggakan for one in report.groups) == STUDENTS * debt
            seen.add(debt)
    finally:
        done.set()
        writer.join()
