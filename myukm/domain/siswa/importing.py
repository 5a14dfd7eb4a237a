"""Loading students from a CSV file or the payment API.

Every row is checked and staged before the first one is written. A bad row of a file, which a person
can mend, lets nothing in; of the API's roster it keeps out its student alone. Then one transaction
compares what is staged with what we have and writes the differences.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from myukm.db.session import transaction
from myukm.domain import audit
from myukm.domain.csv_table import LineReader, bad_line
from myukm.domain.siswa import api_source, csv_source, leaving
from myukm.domain.siswa.fields import COLUMNS, Values
from myukm.domain.siswa.staging import Staging
from myukm.errors import Conflict, Invalid
from myukm.models import Siswa
from myukm.models.siswa import search_text

BATCH = 1000
TRIES = 3
COMMAND = "flask siswa"
BLANK = dict.fromkeys(COLUMNS, "")

Report = Callable[[str, int, int], None]
Row = dict[str, Any]


class Imported(NamedTuple):
    """What an import did: `total` students were loaded, `left_out` says who was not, and why."""

    total: int
    added: int
    changed: int
    deactivated: int
    left_out: Sequence[Any] = ()


def _quiet(step: str, done: int, total: int) -> None:
    """Report nothing."""


def from_csv(path: Path, report: Report = _quiet, *, by: str = COMMAND) -> Imported:
    """Load the students of a CSV file; those it does not name stay as they are.

    `report(step, done, total)` is called now and then: "check" in bytes, "load" in students.
    Raises `Invalid` with the line that is wrong; then nothing has changed.
    """
    size = path.stat().st_size
    with path.open("rb") as file, closing(Staging()) as staging:
        lines = LineReader(file)
        for count, (number, raw) in enumerate(csv_source.read(lines), 1):
            try:
                staging.add(number, raw)
            except Invalid as error:
                raise bad_line(number, error.message) from None
            if count % BATCH == 0:
                report("check", lines.done, size)
        report("check", size, size)
        return _load(_Load(staging, report, by), "CSV")


def from_api(report: Report = _quiet, *, accept: bool = False, by: str = COMMAND) -> Imported:
    """Load the students of the payment API; those gone from it become inactive.

    A student of whom something is wrong is left out and stays as it was. Raises `Unavailable` when
    the API gives no roster, `Conflict` when more than `GUARD_SHARE` of the active students would
    become inactive and nobody said to `accept` that.
    """
    with closing(Staging()) as staging:
        left_out, whole = api_source.stage(staging)
        done = _load(_Load(staging, report, by, whole_roster=whole, accept=accept), "API")
        return done._replace(left_out=left_out)


class _Load(NamedTuple):
    """What is to be loaded, and how; of a whole roster whoever it does not name has left."""

    staging: Staging
    report: Report
    by: str
    whole_roster: bool = False
    accept: bool = False


def _load(load: _Load, source: str, tries: int = TRIES) -> Imported:
    if not load.staging.count:
        raise Invalid(_("Tidak ada siswa di dalamnya."), code="no_students")
    try:
        return _write(load, source)
    except IntegrityError:
        raise Conflict(_("Impor lain sedang berjalan. Ulangi setelah selesai.")) from None
    except OperationalError:
        # A sync writes the same rows in another order: of two that wait for each other the
        # database ends one, and that may be us.
        if tries == 1:
            raise
        return _load(load, source, tries - 1)


def _write(load: _Load, source: str) -> Imported:
    added = changed = done = 0
    total = load.staging.count
    with transaction() as session:
        gone = leaving.leavers(session, load.staging) if load.whole_roster else []
        if not load.accept:
            leaving.check(session, gone)
        for batch in load.staging.batches(BATCH):
            new, differing = _differences(session, batch)
            _save(session, new, differing)
            added, changed, done = added + len(new), changed + len(differing), done + len(batch)
            load.report("load", done, total)
        leaving.deactivate(session, gone)
        told = f"{source}: {total} siswa, +{added} ~{changed} -{len(gone)}"
        audit.record(load.by, "siswa.import", told)
    return Imported(total, added, changed, len(gone))


def _differences(session: Session, batch: Sequence[Values]) -> tuple[list[Row], list[Row]]:
    """Return the rows to insert and the rows to update so that `batch` stands in the table."""
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
