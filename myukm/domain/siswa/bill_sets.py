"""Sets of bills: the periods and categories in which a student has bills.

Students of a class are billed alike, so a campus has few sets. The column `siswa.bill_set` refers
to a student's set. Lists and groups count students by this column, so they read no settled bill.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

import msgspec
from sqlalchemy import Insert, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from myukm.db.session import in_literals
from myukm.domain.payment_api.bill_rows import Bill
from myukm.models import BillSet

Kinds = frozenset[tuple[str, str]]
CACHED_SETS = 4096


def of(bills: Iterable[Bill]) -> int | None:
    """Return the id of the set of these bills, None if there is no bill."""
    return _id_of(_kinds(bills))


def write(session: Session, students: Mapping[int, Sequence[Bill]]) -> dict[int, int | None]:
    """Insert the sets of these students' bills that are new; return each student's set."""
    found = {key: _kinds(bills) for key, bills in students.items()}
    sets = {number: kinds for kinds in {*found.values()} if (number := _id_of(kinds)) is not None}
    known = select(BillSet.id).where(in_literals(BillSet.id, sets)).distinct()
    new = sets.keys() - set(session.scalars(known)) if sets else ()
    rows = [
        {"id": number, "period_id": period, "category": category}
        for number in sorted(new)  # sorted, or two lanes that write the same sets deadlock
        for period, category in sorted(sets[number])
    ]
    if rows:
        session.execute(_insert_once(session), rows)
    return {key: _id_of(kinds) for key, kinds in found.items()}


def _insert_once(session: Session) -> Insert:
    """Return an INSERT that leaves out the rows that another lane writes at the same moment."""
    if session.get_bind().dialect.name == "mysql":
        return insert(BillSet).prefix_with("IGNORE")
    return postgresql.insert(BillSet).on_conflict_do_nothing()  # SQLite's syntax is the same


def _kinds(bills: Iterable[Bill]) -> Kinds:
    return frozenset((bill[0], bill[2]) for bill in bills)


@lru_cache(CACHED_SETS)
def _id_of(kinds: Kinds) -> int | None:
    """Return the id of a set, which follows from its content; None if it is empty."""
    if not kinds:
        return None
    text = msgspec.json.encode(sorted(kinds))
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big", signed=True)
