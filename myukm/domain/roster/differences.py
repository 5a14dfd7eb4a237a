"""Compares the students of a roster with the stored ones, and writes or undoes the differences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from myukm.db.session import in_literals
from myukm.domain.income import journal
from myukm.domain.siswa import links
from myukm.domain.siswa.fields import ALL_COLUMNS, Values
from myukm.models import Siswa
from myukm.models.roster import ChangeKind
from myukm.models.siswa import search_text

BLANK = dict.fromkeys(ALL_COLUMNS, "") | {"active": True}
READ = ("id", "active", "synced_at", *ALL_COLUMNS)

Row = dict[str, Any]
# A stored `RosterChange` as a row of its table.
Change = sqlalchemy.Row[Any]


def compare(session: Session, batch: Sequence[Values]) -> list[Row]:
    """Return the changes that make the stored students equal to `batch`, without `number` and
    `import_id`."""
    known = _students(session, [values["idperson"] for values in batch])
    found = []
    for values in batch:
        old, wanted = known.get(values["idperson"]), {**values, "active": True}
        if old is None:
            new = {name: value for name, value in wanted.items() if value != BLANK[name]}
            found.append(_change(ChangeKind.NEW, values, None, new))
        elif differing := [name for name, value in wanted.items() if value != old[name]]:
            before = {name: old[name] for name in differing}
            after = {name: wanted[name] for name in differing}
            found.append(_change(ChangeKind.CHANGED, values, before, after))
    return found


def leaving(students: Iterable[Any]) -> list[Row]:
    """Return the changes that make these students inactive."""
    return [
        _change(ChangeKind.LEAVING, one._asdict(), {"active": True}, {"active": False})
        for one in students
    ]


def _change(kind: ChangeKind, student: Mapping[str, str], old: Row | None, new: Row | None) -> Row:
    about = {"idperson": student["idperson"], "nama": student["nama"]}
    return {"kind": kind, **about, "old": old, "new": new}


def write(session: Session, changes: Sequence[Change], *, undo: bool = False) -> list[int]:
    """Write changes, or undo them, inside a `transaction()`; return the numbers of those skipped.

    A change is skipped if its student differs from the state before the change (for an undo: the
    state after it).
    """
    known = _students(session, [change.idperson for change in changes], lock=True)
    fitting = [one for one in changes if _fits(one, known.get(one.idperson), undo=undo)]
    if undo:
        # Before the links are read: a redemption of a code that runs meanwhile either has committed
        # its link, which is read, or finds no code. Otherwise it could link a deleted student.
        links.void_codes(session, [one.idperson for one in fitting if one.old is None])
    linked = _linked_new(session, fitting) if undo else set()
    written = [one for one in fitting if one.idperson not in linked]
    new, differing = list[Row](), list[Row]()
    deleted_ids, moved_ids = list[int](), list[int]()
    for change in written:
        old, target = known.get(change.idperson), change.old if undo else change.new
        if target is None:
            deleted_ids.append(old["id"] if old else 0)
        elif old is None:
            new.append(_searchable({**BLANK, **target}))
        else:
            differing.append(row := _searchable({**old, **target}))
            if row["unit_formal"] != old["unit_formal"]:
                moved_ids.append(row["id"])
    with journal.moving(session, moved_ids):
        _save(session, new, differing, deleted_ids)
    return sorted({one.number for one in changes} - {one.number for one in written})


def changed_since(session: Session, changes: Sequence[Change]) -> list[Change]:
    """Return the changes that cannot be undone, because their student has changed since."""
    known = _students(session, [change.idperson for change in changes])
    linked = _linked_new(session, changes)
    return [
        change
        for change in changes
        if change.idperson in linked or not _fits(change, known.get(change.idperson), undo=True)
    ]


def nims(changes: Sequence[Change]) -> set[str]:
    """Return the NIMs that these changes set or remove."""
    values = (side.get("nim") for change in changes for side in (change.old, change.new) if side)
    return {nim for nim in values if nim}


def _linked_new(session: Session, changes: Sequence[Change]) -> set[str]:
    """Return the ids of new students who have been linked by a code since. An undo does not delete
    them."""
    return links.linked_by_code(
        session, [change.idperson for change in changes if change.old is None]
    )


def _fits(change: Change, student: Row | None, *, undo: bool) -> bool:
    """Return whether the student is in the state that the change expects, and, if an undo would
    delete the student, was never synced."""
    expected, target = (change.new, change.old) if undo else (change.old, change.new)
    if expected is None or student is None:
        return expected is None and student is None
    if target is None and student["synced_at"]:
        return False
    if target is None:
        expected = {**BLANK, **expected}
    return bool(expected.items() <= student.items())


def _students(session: Session, ids: Sequence[str], *, lock: bool = False) -> dict[str, Row]:
    columns = [Siswa.__table__.c[name] for name in READ]
    query = select(*columns).where(Siswa.idperson.in_(ids)).order_by(Siswa.id)
    rows = session.execute(query.with_for_update() if lock else query)
    return {row.idperson: dict(zip(READ, row, strict=True)) for row in rows}


def _searchable(row: Row) -> Row:
    row.pop("synced_at", None)
    return row | {"search_text": search_text(row)}


def _save(session: Session, new: list[Row], differing: list[Row], deleted_ids: list[int]) -> None:
    if new:
        session.execute(insert(Siswa), new)
    if differing:
        session.execute(update(Siswa), differing)
    if deleted_ids:
        session.execute(delete(Siswa).where(in_literals(Siswa.id, deleted_ids)))
