"""Loading students from a CSV file or the payment API: all of them, or none.

Every row is checked and staged before the first one is written, so a bad row changes nothing;
then one transaction compares what is staged with what we have and writes the differences.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from myukm.database import count_changed, write
from myukm.domain import audit
from myukm.domain.siswa import siswa_api, siswa_csv
from myukm.domain.siswa.siswa_rows import COLUMNS, Values
from myukm.domain.siswa.siswa_staging import Staging
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
    """What an import did; `total` students were in the source."""

    total: int
    added: int
    changed: int
    deactivated: int


def _quiet(step: str, done: int, total: int) -> None:
    """Report nothing."""


def from_csv(path: Path, report: Report = _quiet, *, by: str = COMMAND) -> Imported:
    """Load the students of a CSV file; those it does not name stay as they are.

    `report(step, done, total)` is called now and then: "check" in bytes, "load" in students.
    Raises `Invalid` with the line that is wrong; then nothing has changed.
    """
    size = path.stat().st_size
    with path.open("rb") as file, closing(Staging(siswa_csv.bad_line)) as staging:
        lines = siswa_csv.Lines(file)
        for number, raw in siswa_csv.read(lines):
            staging.add(number, raw)
            if staging.count % BATCH == 0:
                report("check", lines.done, size)
        report("check", size, size)
        return _load(staging, report, by)


def from_api(report: Report = _quiet, *, by: str = COMMAND) -> Imported:
    """Load the students of the payment API; those gone from it become inactive.

    Raises `Unavailable` when the API gives no roster, `Invalid` for a student that is wrong.
    """
    with closing(Staging(_bad_student)) as staging:
        for number, raw in enumerate(siswa_api.fetch(), 1):
            staging.add(number, raw)
        return _load(staging, report, by, whole_roster=True)


def _bad_student(number: int, reason: Any) -> Invalid:
    message = _("Siswa ke-%(n)d dari API pembayaran: %(reason)s", n=number, reason=reason)
    return Invalid(message, code="bad_row")


def _load(
    staging: Staging, report: Report, by: str, whole_roster: bool = False, tries: int = TRIES
) -> Imported:
    if not staging.count:
        raise Invalid(_("Tidak ada siswa di dalamnya."), code="no_students")
    try:
        return _write(staging, report, by, whole_roster)
    except IntegrityError:
        raise Conflict(_("Impor lain sedang berjalan. Ulangi setelah selesai.")) from None
    except OperationalError:
        # A sync writes the same rows in another order: of two that wait for each other the
        # database ends one, and that may be us.
        if tries == 1:
            raise
        return _load(staging, report, by, whole_roster, tries - 1)


def _write(staging: Staging, report: Report, by: str, whole_roster: bool) -> Imported:
    added = changed = done = 0
    with write() as session:
        for batch in staging.batches(BATCH):
            new, differing = _differences(session, batch)
            _save(session, new, differing)
            added, changed, done = added + len(new), changed + len(differing), done + len(batch)
            report("load", done, staging.count)
        gone = _deactivate(session, staging) if whole_roster else 0
        source = "API" if whole_roster else "CSV"
        told = f"{source}: {staging.count} siswa, +{added} ~{changed} -{gone}"
        audit.note(by, "siswa.import", told)
    return Imported(staging.count, added, changed, gone)


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


def _deactivate(session: Session, staging: Staging) -> int:
    count = 0
    for ids in _active_ids(session):
        if gone := staging.lacks(ids):
            lost = update(Siswa).where(Siswa.idperson.in_(gone)).values(active=False)
            count += count_changed(session, lost)
    return count


def _active_ids(session: Session) -> Iterator[Sequence[str]]:
    last = 0
    query = select(Siswa.id, Siswa.idperson).where(Siswa.active).order_by(Siswa.id).limit(BATCH)
    while rows := session.execute(query.where(Siswa.id > last)).all():
        last = rows[-1].id
        yield [row.idperson for row in rows]
