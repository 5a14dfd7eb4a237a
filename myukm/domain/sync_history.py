"""The runs of the past and the students that failed in them."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Row, select

from myukm.database import iso
from myukm.domain import progress, spreadsheet, sync_run
from myukm.errors import NotFound
from myukm.extensions import db
from myukm.models import Siswa, SyncItem, SyncRun
from myukm.models.sync import ItemStatus

COLUMNS = ("idperson", "nama", "code", "message", "attempts", "at")


def runs(limit: int = 100, before: int | None = None) -> list[dict[str, Any]]:
    """Return the newest runs (older than run `before`) as progress objects."""
    query = select(*progress.COLUMNS).order_by(SyncRun.id.desc()).limit(limit)
    if before is not None:
        query = query.where(SyncRun.id < before)
    return [progress.of(row) for row in db.session.execute(query).all()]


def run(run_id: int) -> dict[str, Any]:
    """Return a run as its progress object. Raises `NotFound`."""
    row = sync_run.find(run_id)
    if row is None:
        raise NotFound(_("Tidak ada proses #%(run)s.", run=run_id), code="no_such_run")
    return progress.of(row)


def failures(run_id: int) -> Sequence[Row[*tuple[Any, ...]]]:
    """Return the failed students of a run in the order of their ids, with `COLUMNS`."""
    query = (
        select(
            SyncItem.idperson,
            Siswa.nama,
            SyncItem.code,
            SyncItem.message,
            SyncItem.attempts,
            SyncItem.at,
        )
        .outerjoin(Siswa, Siswa.idperson == SyncItem.idperson)
        .where(SyncItem.run_id == run_id, SyncItem.status == ItemStatus.FAILED)
        .order_by(SyncItem.id)
    )
    return db.session.execute(query).all()


def failures_csv(run_id: int) -> Iterator[str]:
    """Return the failed students of a run as the lines of a CSV file. Raises `NotFound`."""
    run(run_id)
    rows = ((*row[:-1], iso(row.at)) for row in failures(run_id))
    return spreadsheet.lines(COLUMNS, rows)
