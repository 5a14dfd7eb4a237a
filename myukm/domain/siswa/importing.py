"""Import of students from a CSV file or the payment API.

Every row is checked before the first one is written. A bad row of a file rejects the whole file,
because a person can correct it; a bad row of the API's roster rejects only its student. Then one
transaction compares all rows with the table and writes the differences. A file is read and checked
a second time for that, because it may have changed and need not fit into memory.
"""

import os
from collections.abc import Callable, Container, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from myukm.db.session import transaction
from myukm.db.timeouts import take_any_time
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.csv_table import LineReader
from myukm.domain.siswa import api_source, csv_source, leaving
from myukm.domain.siswa.fields import COLUMNS, Values
from myukm.errors import Conflict, Invalid
from myukm.models import Siswa
from myukm.models.siswa import search_text

BATCH = 1000
TRIES = 3
COMMAND = Actor("flask siswa")
BLANK = dict.fromkeys(COLUMNS, "")

Report = Callable[[str, int, int], None]
Row = dict[str, Any]


class Imported(NamedTuple):
    """The result of an import: the number of students, and the messages about rejected rows."""

    total: int
    added: int
    changed: int
    deactivated: int
    left_out: Sequence[Any] = ()


def _quiet(step: str, done: int, total: int) -> None:
    """Report nothing."""


def from_csv(path: Path, report: Report = _quiet, *, by: Actor = COMMAND) -> Imported:
    """Import the students of a CSV file; students that it does not name stay as they are.

    `report(step, done, total)` is called at intervals: "check" in bytes, "load" in students.
    Raises `Invalid` with the number of the bad line; then nothing is written.
    """
    with csv_source.seekable(path) as file:
        total = _check(file, report)

        def students() -> Iterable[Values]:
            file.seek(0)
            return csv_source.read(LineReader(file))

        return _load(_Load("CSV", students, total, report, by))


def _check(file: BinaryIO, report: Report) -> int:
    """Read a file to its end and return the number of students. Raises `Invalid`."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    lines, total = LineReader(file), 0
    for total, _values in enumerate(csv_source.read(lines), 1):
        if total % BATCH == 0:
            report("check", lines.done, size)
    report("check", size, size)
    return total


def from_api(report: Report = _quiet, *, accept: bool = False, by: Actor = COMMAND) -> Imported:
    """Import the students of the payment API; students no longer in it become inactive.

    A bad row is left out and its student stays as it is. Raises `Unavailable` if the API gives no
    roster, `Conflict` if more than `GUARD_SHARE` of the active students would become inactive,
    unless `accept` is set.
    """
    roster = api_source.read()
    mentions = roster.mentions if roster.whole else None
    total = len(roster.students)
    load = _Load("API", lambda: roster.students, total, report, by, mentions, accept)
    return _load(load)._replace(left_out=roster.left_out)


class _Load(NamedTuple):
    """The import's input: `students` reads the rows again, `total` was counted before.

    `mentions` are the ids of a complete roster: students not among them become inactive.
    """

    source: str
    students: Callable[[], Iterable[Values]]
    total: int
    report: Report
    by: Actor
    mentions: Container[str] | None = None
    accept: bool = False


def _load(load: _Load, tries: int = TRIES) -> Imported:
    if not load.total:
        raise Invalid(_("Tidak ada siswa di dalamnya."), code="no_students")
    try:
        return _write(load)
    except IntegrityError:
        raise Conflict(_("Impor lain sedang berjalan. Ulangi setelah selesai.")) from None
    except OperationalError:
        # A sync writes the same rows in another order, so the database may choose this
        # transaction as a deadlock victim.
        if tries == 1:
            raise
        return _load(load, tries - 1)


def _write(load: _Load) -> Imported:
    added = changed = done = 0
    with transaction() as session:
        take_any_time(session.connection())
        gone = leaving.leavers(session, load.mentions) if load.mentions is not None else []
        if not load.accept:
            leaving.check(session, gone)
        students = iter(load.students())
        while batch := list(islice(students, BATCH)):
            new, differing = _differences(session, batch)
            _save(session, new, differing)
            added, changed, done = added + len(new), changed + len(differing), done + len(batch)
            load.report("load", done, load.total)
        leaving.deactivate(session, gone)
        summary = f"{load.source}: {done} siswa, +{added} ~{changed} -{len(gone)}"
        activity.record(load.by, "siswa.import", summary)
    return Imported(done, added, changed, len(gone))


def _differences(session: Session, batch: Sequence[Values]) -> tuple[list[Row], list[Row]]:
    """Return the rows to insert and the rows to update for `batch`."""
    columns = [Siswa.__table__.c[name] for name in ("id", "active", *COLUMNS)]
    ids = [values["idperson"] for values in batch]
    found = session.execute(select(*columns).where(Siswa.idperson.in_(ids))).mappings()
    known = {row["idperson"]: dict(row) for row in found}
    new, differing = [], []
    for values in batch:
        old = known.get(values["idperson"])
        row: Row = {**(old or BLANK), **values, "active": True}
        if old is None:
            new.append(row | {"search_text": search_text(row)})
        elif row != old:
            differing.append(row | {"search_text": search_text(row)})
    return new, differing


def _save(session: Session, new: list[Row], differing: list[Row]) -> None:
    if new:
        session.execute(insert(Siswa), new)
    if differing:
        session.execute(update(Siswa), differing)
