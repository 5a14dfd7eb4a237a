"""The table of bills: written with a student's payments, and compared with them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, groupby
from typing import Any, NamedTuple, cast

import msgspec
from sqlalchemy import Row, Table, delete, insert, select, text
from sqlalchemy.orm import Session

from myukm.db.session import in_literals, release_connection
from myukm.domain.income import journal
from myukm.domain.income.journal import Origin
from myukm.domain.payment_api import parser
from myukm.domain.payment_api.bill_rows import Bill, bill_rows
from myukm.domain.payment_api.body import InvalidBody
from myukm.domain.payment_api.owed import Owed, owed
from myukm.domain.siswa import bill_sets, losses
from myukm.extensions import db
from myukm.models import Siswa, Tagihan

PORTION = 200
COLUMNS = ("period_id", "kelas", "category", "item", "billed", "paid", "remaining")
ALL_COLUMNS = ("siswa_id", "position", *COLUMNS)
# On SQLite a statement costs about as much as the values of a row, so a statement inserts many
# rows. Old versions accept 999 values.
ROWS_AT_ONCE = 50
# PostgreSQL and MariaDB extract the rows from one JSON text, [[siswa_id, [row, …]], …], because
# binding each value of each row over a network takes longer than everything else in writing a
# student. SQLite runs in this process and is faster with plain values.
ROWS = {
    "postgresql": """
        SELECT (s ->> 0)::bigint, position - 1, b ->> 0, b ->> 1, b ->> 2, b ->> 3,
            (b ->> 4)::bigint, (b ->> 5)::bigint, (b ->> 6)::bigint
        FROM jsonb_array_elements(CAST(:bills AS jsonb)) AS s,
            jsonb_array_elements(s -> 1) WITH ORDINALITY AS t(b, position)""",
    "mysql": """
        SELECT siswa_id, position - 1, period_id, kelas, category, item, billed, paid, remaining
        FROM JSON_TABLE(:bills, '$[*]' COLUMNS (
            siswa_id BIGINT PATH '$[0]',
            NESTED PATH '$[1][*]' COLUMNS (
                position FOR ORDINALITY,
                period_id VARCHAR(64) PATH '$[0]', kelas VARCHAR(120) PATH '$[1]',
                category VARCHAR(120) PATH '$[2]', item VARCHAR(120) PATH '$[3]',
                billed BIGINT PATH '$[4]', paid BIGINT PATH '$[5]', remaining BIGINT PATH '$[6]'
            ))) AS bills
        WHERE position IS NOT NULL""",
}


def replace(
    session: Session, bills: Mapping[int, Sequence[Bill]], students: Mapping[int, Origin]
) -> None:
    """Replace the bills of students (by row id); write the differences to the journal, and losses.

    The caller has locked the students; `students` are their origins before the change.
    """
    before = _stored(session, bills)
    journal.record(session, students, before, bills)
    losses.record(session, before, bills)
    if before:
        session.execute(delete(Tagihan).where(in_literals(Tagihan.siswa_id, before)))
    table = cast(Table, Tagihan.__table__)
    dialect = session.get_bind().dialect
    if dialect.name != "sqlite":
        rows = text(ROWS[dialect.name]).columns(*(table.c[name] for name in ALL_COLUMNS))
        written = insert(table).from_select(ALL_COLUMNS, rows)
        session.execute(written, {"bills": msgspec.json.encode(list(bills.items())).decode()})
    else:
        _insert_values(
            session, [(key, n, *bill) for key in bills for n, bill in enumerate(bills[key])]
        )


def _insert_values(session: Session, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows as plain values: `ROWS_AT_ONCE` per statement, the remaining rows one by one."""
    full = len(rows) - len(rows) % ROWS_AT_ONCE
    for size, part in (ROWS_AT_ONCE, rows[:full]), (1, rows[full:]):
        starts = range(0, len(part), size)
        if values := [tuple(chain.from_iterable(part[at : at + size])) for at in starts]:
            session.connection().exec_driver_sql(_insert(size), values)


@cache
def _insert(count: int) -> str:
    """Return SQLite's statement that inserts `count` rows."""
    row = f"({', '.join('?' * len(ALL_COLUMNS))})"
    names = ", ".join(ALL_COLUMNS)
    return f"INSERT INTO tagihan ({names}) VALUES {', '.join([row] * count)}"  # noqa: S608


class Difference(NamedTuple):
    """A student whose stored payments disagree with `field`: a column, or the table `tagihan`."""

    idperson: str
    field: str


def check() -> Iterator[tuple[int, list[Difference]]]:
    """Compare the payments of all students with their bills and amounts, in portions.

    Yields the number of students of a portion and their differences.
    """
    query = select(Siswa).order_by(Siswa.id).limit(PORTION)
    last = 0
    while students := db.session.scalars(query.where(Siswa.id > last)).all():
        last, stored = students[-1].id, _stored(db.session(), [one.id for one in students])
        found = [diff for one in students for diff in _compare(one, stored.get(one.id, []))]
        yield len(students), found
        db.session.expunge_all()
        release_connection()


def _stored(session: Session, keys: Iterable[int]) -> dict[int, list[Bill]]:
    """Return the stored bills of students, by row id, without students that have no bill."""
    columns = (Tagihan.siswa_id, *(getattr(Tagihan, name) for name in COLUMNS))
    query = select(*columns).where(in_literals(Tagihan.siswa_id, keys))
    found = session.execute(query.order_by(Tagihan.siswa_id, Tagihan.position))
    return {key: [_bill(row) for row in rows] for key, rows in groupby(found, lambda row: row[0])}


def _bill(row: Row[Any]) -> Bill:
    bill: Any = tuple(row[1:])
    return bill  # type: ignore[no-any-return]


def _compare(student: Siswa, stored: list[Bill]) -> Iterator[Difference]:
    try:
        periods = parser.plain(student.pembayaran or [])
    except InvalidBody:
        return  # stored by a version whose format this one does not know; the page says so
    if stored != bill_rows(periods):
        yield Difference(student.idperson, "tagihan")
    if student.bill_set != bill_sets.of(stored):
        yield Difference(student.idperson, "bill_set")
    if student.pembayaran is None:
        return
    expected = owed(periods)
    for name in (*Owed._fields, "lunas"):
        if getattr(student, name) != getattr(expected, name):
            yield Difference(student.idperson, name)
