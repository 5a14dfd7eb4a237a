"""The history of runs, and their failed students."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Row, Select, func, select

from myukm.db.types import is_id, to_iso8601
from myukm.domain import csv_output
from myukm.domain.paging import Page, paginate_rows
from myukm.domain.payment_api.errors import MESSAGES
from myukm.domain.sync import progress
from myukm.errors import NotFound
from myukm.extensions import db
from myukm.models import Siswa, SyncItem, SyncRun
from myukm.models.sync import ItemStatus, Status

MAX_SHOWN, CHUNK = 50, 1000
CODES = {
    **MESSAGES,
    "student_deleted": _("Siswa sudah dihapus dari MyUKM"),
    "contradictory": _("API pembayaran menjawab dua kali berbeda"),
}
COLUMNS = ("idperson", "nama", "code", "message", "attempts", "at")


def runs(limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """Return the newest runs (older than run `before`) as progress objects."""
    query = _newest_first().limit(limit)
    if before is not None and is_id(before):
        query = query.where(SyncRun.id < before)
    return [progress.for_run(row) for row in db.session.execute(query).all()]


def page_of_runs(page: int) -> Page[dict[str, Any]]:
    """Return a page of all runs, newest first, as progress objects."""
    found = paginate_rows(_newest_first(), page)
    return Page(
        [progress.for_run(row) for row in found.items], found.page, found.pages, found.total
    )


def _newest_first() -> Select[Any]:
    return select(*progress.COLUMNS).order_by(SyncRun.id.desc())


def run(run_id: int) -> dict[str, Any]:
    """Return a run as its progress object. Raises `NotFound`."""
    row = progress.find(run_id)
    if row is None:
        raise NotFound(_("Tidak ada proses #%(run)s.", run=run_id), code="no_such_run")
    return progress.for_run(row)


def failures_left(user_id: int) -> Row[Any] | None:
    """Return the newest run (dry runs left out) if this account started it and it failed or ended
    with failed students; None otherwise, and after a reset."""
    query = _newest_first().where(SyncRun.dry_run.is_(False)).limit(1)
    newest = db.session.execute(query.add_columns(SyncRun.started_by_id, SyncRun.dismissed)).first()
    if newest is None or newest.started_by_id != user_id or newest.dismissed:
        return None
    ended = newest.status == Status.FAILED or (newest.status == Status.COMPLETED and newest.failed)
    return newest if ended else None


class Cause(NamedTuple):
    """A cause of failure with the number of students and the first of them."""

    code: str
    text: str
    number: int
    students: Sequence[Row[Any]]


def causes(run_id: int) -> list[Cause]:
    """Return the causes of failure in a run, most frequent first."""
    number = func.count().label("number")
    query = select(SyncItem.code, number, func.min(SyncItem.message).label("message"))
    groups = query.where(*_failed(run_id)).group_by(SyncItem.code).order_by(number.desc())
    return [
        Cause(
            group.code,
            str(CODES.get(group.code, group.message)),
            group.number,
            db.session.execute(
                failures(run_id).where(SyncItem.code == group.code).limit(MAX_SHOWN)
            ).all(),
        )
        for group in db.session.execute(groups).all()
    ]


def failures(run_id: int) -> Select[*tuple[Any, ...]]:
    """Return the query for the failed students of a run, in the order of their ids."""
    return (
        select(
            SyncItem.idperson,
            Siswa.nama,
            SyncItem.code,
            SyncItem.message,
            SyncItem.attempts,
            SyncItem.finished_at,
            SyncItem.translations,
        )
        .outerjoin(Siswa, Siswa.idperson == SyncItem.idperson)
        .where(*_failed(run_id))
        .order_by(SyncItem.id)
    )


def failures_csv(run_id: int) -> Iterator[str]:
    """Return the failed students of a run as the lines of a CSV file. Raises `NotFound`."""
    run(run_id)
    return csv_output.to_csv(COLUMNS, _all_failures(run_id))


def _all_failures(run_id: int) -> Iterator[tuple[Any, ...]]:
    """Yield all rows, read in portions, because 100,000 failures would take much memory."""
    columns = (SyncItem.idperson, Siswa.nama, SyncItem.code, SyncItem.message, SyncItem.attempts)
    query = failures(run_id).with_only_columns(
        *columns, SyncItem.finished_at, SyncItem.id, maintain_column_froms=True
    )
    last = 0
    while True:
        rows = db.session.execute(query.where(SyncItem.id > last).limit(CHUNK)).all()
        db.session.rollback()  # databases end a transaction that is idle during a slow download
        for *cells, finished_at, _number in rows:
            yield (*cells, to_iso8601(finished_at))
        if len(rows) < CHUNK:
            return
        last = rows[-1].id


def _failed(run_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return SyncItem.run_id == run_id, SyncItem.status == ItemStatus.FAILED
