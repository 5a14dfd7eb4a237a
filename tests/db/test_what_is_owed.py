"""Random students: amounts, marks and filters are right on every database, after a sync and after
an upgrade of what an older version had stored."""

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask, current_app

from myukm.db.session import transaction
from myukm.db.types import Rupiah, utcnow
from myukm.domain.payment_api.parser import parse
from myukm.domain.payment_api.work_item import Item
from myukm.domain.siswa import directory
from myukm.domain.sync import results
from myukm.extensions import db
from myukm.models import Siswa
from myukm.models.siswa import fold
from tests.conftest import every_database
from tests.support.bills import Truth, random_students, truth

COUNT, MIGRATION = 400, "0007"
EVERYBODY: dict[str, list[Any]] = {
    f"{n:04}": periods for n, periods in enumerate(random_students(7, COUNT))
}
NEVER_SYNCED = Truth(Fraction(0), Fraction(0), "belum_sinkron", tidak_cocok=False)
FILTERS: dict[str, Callable[[str, Truth], bool]] = {
    "lunas": lambda _id, expected: expected.lunas,
    "belum": lambda _id, expected: expected.tunggakan > 0,
    "lebih_bayar": lambda _id, expected: expected.lebih_bayar > 0,
    "tanpa_tagihan": lambda _id, expected: expected.status == "tanpa_tagihan",
    "belum_sinkron": lambda _id, expected: expected.status == "belum_sinkron",
    "tidak_cocok": lambda _id, expected: expected.tidak_cocok,
    "aktif": lambda idperson, _expected: active(idperson),
    "nonaktif": lambda idperson, _expected: not active(idperson),
}
BLANK = (
    "gender",
    "lahirtempat",
    "lahirtanggal",
    "phone",
    "unit_formal",
    "kelas_formal",
    "asrama_pondok",
    "kamar_pondok",
    "tingkat_diniyah",
    "kelas_diniyah",
)


@pytest.fixture
def app_context(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def active(idperson: str) -> bool:
    return int(idperson) % 7 != 0


def synced(idperson: str) -> bool:
    return int(idperson) % 11 != 0


def truths() -> dict[str, Truth]:
    return {
        idperson: truth(periods) if synced(idperson) else NEVER_SYNCED
        for idperson, periods in EVERYBODY.items()
    }


def answer(idperson: str) -> Any:
    account = {"idperson": idperson, "saldo": 0, "periods": EVERYBODY[idperson]}
    return parse(json.dumps({"data": [account]}).encode(), idperson)


def old_row(idperson: str) -> dict[str, Any]:
    """Return a row of the version before, in which everybody has paid, because sums were netted."""
    name = f"Nama {idperson}"
    person = {"idperson": idperson, "nama": name, "search_text": fold(f"{name} {idperson}")}
    row = {**person, **dict.fromkeys(BLANK, ""), "active": active(idperson)}
    paid: dict[str, Any] = {
        "pembayaran": None,
        "tunggakan": None,
        "lunas": None,
        "digest": None,
        "synced_at": None,
    }
    if synced(idperson):
        found = answer(idperson)
        paid = {"pembayaran": found.periods, "tunggakan": 0, "lunas": True}
        paid |= {"digest": found.digest, "synced_at": utcnow()}
    return row | paid


def store_as_before() -> None:
    """Go back to the version before and store everybody as it did."""
    flask_migrate.downgrade(revision=version_before())
    rows = [old_row(idperson) for idperson in EVERYBODY]
    with transaction() as session:
        session.execute(sa.insert(old_table()), rows)


def version_before() -> str:
    scripts = ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())
    return str(scripts.get_revision(MIGRATION).down_revision)


def old_table() -> sa.TableClause:
    types = {"pembayaran": sa.JSON(none_as_null=True), "tunggakan": Rupiah(), "lunas": sa.Boolean()}
    types |= {"active": sa.Boolean(), "synced_at": Siswa.synced_at.type}
    return sa.table("siswa", *(sa.column(name, types.get(name)) for name in old_row("0001")))


def check() -> None:
    """Assert that the columns of every student, and every filter, agree with the items."""
    db.session.remove()
    expected_of = truths()
    for student in db.session.scalars(sa.select(Siswa)):
        expected = expected_of[student.idperson]
        assert shown(student) == expected, (student.idperson, student.pembayaran)
        assert student.lunas is (expected.lunas if synced(student.idperson) else None)
        assert (student.tunggakan is None) == (not synced(student.idperson))
    for names in [(), *((name,) for name in FILTERS), ("belum", "nonaktif"), ("aktif", "lunas")]:
        matching = [
            id_
            for id_ in expected_of
            if all(FILTERS[name](id_, expected_of[id_]) for name in names)
        ]
        assert found(names) == matching, names
        assert len(matching) > 5, names


def shown(student: Siswa) -> Truth:
    amounts = (Fraction(student.tunggakan or 0), Fraction(student.lebih_bayar or 0))
    return Truth(*amounts, student.status, student.tidak_cocok)


def found(names: tuple[str, ...]) -> list[str]:
    return [student.idperson for student in directory.search("nama", names, per_page=COUNT).items]


@every_database
@pytest.mark.usefixtures("app_context")
def test_an_upgrade_computes_figures_again(capsys: pytest.CaptureFixture[str]) -> None:
    store_as_before()
    with transaction() as session:
        digests = dict(session.execute(sa.select(Siswa.idperson, Siswa.digest)).all())  # type: ignore[arg-type]
    flask_migrate.upgrade()
    check()
    number = sum(map(synced, EVERYBODY))
    assert f"Tagihan dihitung ulang: {number} dari {number} siswa." in capsys.readouterr().out
    with transaction() as session:
        assert dict(session.execute(sa.select(Siswa.idperson, Siswa.digest)).all()) == digests  # type: ignore[arg-type]
        items = answered()
        results.compare(session, items)
        assert not any(item.new for item in items)


@every_database
@pytest.mark.usefixtures("app_context")
def test_a_sync_stores_the_figures_of_the_items() -> None:
    with transaction() as session:
        session.execute(
            sa.insert(Siswa), [dict.fromkeys(BLANK, "") | person(id_) for id_ in EVERYBODY]
        )
    with transaction() as session:
        results.take_in(session, None, answered())
    check()


def answered() -> list[Item]:
    return [Item(1, one, answer=answer(one)) for one in EVERYBODY if synced(one)]


def person(idperson: str) -> dict[str, Any]:
    row = old_row(idperson)
    return {name: row[name] for name in ("idperson", "nama", "search_text", "active")}


@every_database
@pytest.mark.usefixtures("app_context")
def test_a_killed_upgrade_continues_where_it_stopped() -> None:
    store_as_before()
    flask_migrate.upgrade(revision=MIGRATION)
    uncounted = {"status": "belum_sinkron", "tunggakan": 0, "lebih_bayar": None, "lunas": True}
    with transaction() as session:
        session.execute(sa.update(Siswa).where(Siswa.idperson > "0150", synced_rows()), uncounted)
        session.execute(sa.text("UPDATE siswa SET tidak_cocok = (1 = 0) WHERE idperson > '0150'"))
    flask_migrate.stamp(revision=version_before())
    flask_migrate.upgrade()
    check()


def synced_rows() -> sa.ColumnElement[bool]:
    return Siswa.pembayaran.is_not(None)


@pytest.mark.usefixtures("app_context")
def test_payments_that_cannot_be_read_any_more_are_marked_and_keep_their_amount() -> None:
    store_as_before()
    broken = json.dumps([{"period_id": "20242025", "summary": {"total_remaining": "seribu"}}])
    change = "UPDATE siswa SET pembayaran = :broken, tunggakan = :owed WHERE idperson = :id"
    with transaction() as session:
        for idperson, owed in (("0001", 1000), ("0002", 0)):
            values = {"broken": broken, "owed": owed, "id": idperson}
            session.execute(sa.text(change), values)
    flask_migrate.upgrade()
    one, other = directory.find("0001"), directory.find("0002")
    assert (one.tunggakan, one.status, one.tidak_cocok) == (1000, "tunggakan", True)
    assert (other.tunggakan, other.status, other.tidak_cocok) == (0, "lunas", True)
