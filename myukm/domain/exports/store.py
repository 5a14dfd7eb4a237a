"""What a job does with an export: claim it as its only holder, write it in parts, end it once.

Every UPDATE has the holder as a condition, so a job that is no longer the holder changes nothing.
"""

import secrets
from typing import IO, NamedTuple

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain.exports import progress
from myukm.extensions import db
from myukm.models import Export, ExportPart
from myukm.models.export import OPEN_EXPORTS, ExportState
from myukm.queues.enqueue import enqueue

JOB = "myukm.jobs.exports.write_export"
PART_BYTES = 512 * 1024
MAX_LOSSES = 3  # dead holders and restarts, after which an export fails


class HolderLostError(Exception):
    """The export was deleted, or given to another job."""


class Held(NamedTuple):
    """An export as it was when its holder claimed it."""

    id: int
    user_id: int
    kind: str
    query: str
    lang: str
    place: str | None
    size: int
    done: int
    total: int
    holder: str
    heartbeat: int


def write_later(export: Export) -> None:
    """Enqueue the job of an export after the commit. If the job is lost, the watchdog does so."""
    on_commit(enqueue_job, export.id)


def enqueue_job(export_id: int) -> None:
    """Enqueue the job that writes an export, or continues it."""
    if export := db.session.get(Export, export_id):
        enqueue(JOB, export_id, job_id=export.job_id)


def claim(export_id: int) -> Held | None:
    """Claim an export for the calling job; None if it is deleted, ended, or held by another."""
    holder = secrets.token_hex(16)
    with transaction() as session:
        free = (Export.id == export_id, Export.state.in_(OPEN_EXPORTS), Export.holder.is_(None))
        claimed = update(Export).where(*free)
        if not execute_rowcount(session, claimed.values(state=ExportState.RUNNING, holder=holder)):
            return None
        columns = (getattr(Export, name) for name in Held._fields)
        return Held(*session.execute(select(*columns).where(Export.id == export_id)).one())


def raise_heartbeat(session: Session, held: Held, **values: int) -> None:
    """Increment the heartbeat and write `values` of the export. Raises `HolderLostError`."""
    mine = (Export.id == held.id, Export.holder == held.holder)
    statement = update(Export).where(*mine).values(heartbeat=Export.heartbeat + 1, **values)
    options = {"synchronize_session": False}
    if not execute_rowcount(session, statement.execution_options(**options)):
        raise HolderLostError


def put_part(held: Held, number: int, data: bytes) -> None:
    """Store a part, replacing the part that an earlier job left. Raises `HolderLostError`."""
    with transaction() as session:
        raise_heartbeat(session, held)
        place = (ExportPart.export_id == held.id, ExportPart.number == number)
        if not execute_rowcount(session, update(ExportPart).where(*place).values(data=data)):
            part = {"export_id": held.id, "number": number, "data": data}
            session.execute(insert(ExportPart), [part])


def save(held: Held, file: IO[bytes]) -> None:
    """Store the whole file in parts and end the export. Raises `HolderLostError`."""
    file.seek(0)
    size = number = 0
    while data := file.read(PART_BYTES):
        put_part(held, number, data)
        size, number = size + len(data), number + 1
    finish(held, size)


def finish(held: Held, size: int) -> None:
    """End an export of which `size` bytes are stored. Raises `HolderLostError`."""
    with transaction() as session:
        export = _locked(session, held)
        export.size, export.done = size, export.total
        _end(export, ExportState.READY)


def hand_over(held: Held, place: str, size: int, done: int) -> None:
    """Enqueue another job, which continues at `place`, and release the export.

    Raises `HolderLostError`.
    """
    with transaction() as session:
        export = _locked(session, held)
        export.place, export.size, export.done = place, size, min(done, export.total)
        export.holder, export.turn = None, export.turn + 1
        write_later(export)


def fail(held: Held, reason: str) -> None:
    """End an export that cannot be written. Raises `HolderLostError`."""
    with transaction() as session:
        export = _locked(session, held)
        export.reason = reason
        _end(export, ExportState.FAILED)


def _locked(session: Session, held: Held) -> Export:
    raise_heartbeat(session, held)
    return session.get_one(Export, held.id, populate_existing=True)


def parts_of(size: int) -> int:
    """Return the number of parts of a file of `size` bytes."""
    return -(-size // PART_BYTES)


def expire_holder(export_id: int, holder: str, heartbeat: int) -> None:
    """Let another job write the export from its beginning, because its holder's heartbeat stopped
    at `heartbeat`. After `MAX_LOSSES` the export fails."""
    with transaction() as session:
        lost = (Export.id == export_id, Export.holder == holder, Export.heartbeat == heartbeat)
        query = select(Export).where(*lost, Export.state.in_(OPEN_EXPORTS)).with_for_update()
        if export := session.scalar(query.execution_options(populate_existing=True)):
            with force_locale(export.lang):
                reason = _("Berkas gagal ditulis tiga kali. Sebabnya ada di log worker.")
            _begin_anew(export, reason)


def begin_anew(held: Held, reason: str) -> None:
    """Let another job write the export from its beginning, because the written parts are out of
    date. After `MAX_LOSSES` the export fails with `reason`. Raises `HolderLostError`."""
    with transaction() as session:
        _begin_anew(_locked(session, held), reason)


def _begin_anew(export: Export, reason: str) -> None:
    export.holder, export.losses = None, export.losses + 1
    export.place, export.turn, export.size, export.done = None, 0, 0, 0
    if export.losses < MAX_LOSSES:
        export.state = ExportState.QUEUED
        write_later(export)
    else:
        export.reason = reason
        _end(export, ExportState.FAILED)


def _end(export: Export, state: ExportState) -> None:
    export.state, export.holder, export.finished_at = state, None, utcnow()
    progress.append_end(export)
