"""Watchdog of imports, run by the leader: releases imports of dead holders, queues missing jobs."""

from collections.abc import Collection, Iterator
from functools import cache

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.holders import HolderWatchdog, OpenRow
from myukm.domain.roster import claim, parts, queueing
from myukm.extensions import db
from myukm.models import RosterImport
from myukm.models.roster import BUSY, ImportStatus

# A reader sends no heartbeat while it unpacks a large workbook or waits for the API.
READER_TIMEOUT, WRITER_TIMEOUT, UNSERVED_SECONDS = 120.0, 15.0, 3.0
MAX_TRIES = 3


def of_imports(reading: float, writing: float = WRITER_TIMEOUT) -> HolderWatchdog:
    """Return a watchdog: a reader is dead after `reading` seconds without a heartbeat, a writer
    after `writing` seconds."""

    def rows() -> Iterator[OpenRow]:
        columns = (RosterImport.id, RosterImport.holder, RosterImport.heartbeat)
        query = select(*columns, RosterImport.status).where(RosterImport.status.in_(BUSY))
        for import_id, holder, heartbeat, status in db.session.execute(query).all():
            timeout = reading if status == ImportStatus.READING else writing
            yield OpenRow(import_id, holder, heartbeat, timeout)

    return HolderWatchdog(rows, claim.release, _without_job, _serve, UNSERVED_SECONDS)


def _without_job(import_ids: Collection[int]) -> list[int]:
    return [each for each in import_ids if _cannot_continue(each) or not queueing.waits(each)]


def _serve(import_id: int) -> None:
    if _cannot_continue(import_id):
        _give_up(import_id)
    else:
        queueing.queue(import_id)


def _cannot_continue(import_id: int) -> bool:
    """Return whether the import has no try left, or a job could not read its source."""
    roster_import = db.session.get_one(RosterImport, import_id)
    return roster_import.tries >= MAX_TRIES or not _has_source(roster_import)


def _has_source(roster_import: RosterImport) -> bool:
    """Return whether a job can read the source. It cannot if a command's own file is being read,
    because that file is not stored in the database."""
    by_command = roster_import.account_id is None and roster_import.status == ImportStatus.READING
    return not by_command or parts.is_stored(roster_import.id)


def _give_up(import_id: int) -> None:
    """Fail an import whose source cannot be read; an import that is already being written is
    retried."""
    reading = (RosterImport.id == import_id, RosterImport.status == ImportStatus.READING)
    roster_import = db.session.get_one(RosterImport, import_id)
    with force_locale(roster_import.lang):
        error = str(_("Berkas ini tidak selesai dibaca. Coba simpan sebagai CSV."))
    failed = {"status": ImportStatus.FAILED, "error": error, "created_at": utcnow()}
    ended = update(RosterImport).where(*reading, RosterImport.holder.is_(None)).values(failed)
    with transaction() as session:
        session.execute(ended)
        again = update(RosterImport).where(RosterImport.id == import_id)
        session.execute(again.values(tries=0))


@cache
def _watchdog(reading: float) -> HolderWatchdog:
    """Return the leader's watchdog, which keeps its state between rounds."""
    return of_imports(reading)


def watch() -> None:
    """A periodic task of the leader; see `HolderWatchdog`."""
    api_timeout = current_app.config["PEMBAYARAN_API_TIMEOUT"]
    _watchdog(READER_TIMEOUT + api_timeout).watch()
