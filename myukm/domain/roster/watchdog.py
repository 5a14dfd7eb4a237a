"""Watchdog of imports, run by the leader: releases those of dead holders, queues missing jobs."""

from collections.abc import Collection, Iterator
from functools import cache

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.domain.holders import HolderWatchdog, Open
from myukm.domain.roster import claim, parts, queueing
from myukm.extensions import db
from myukm.models import RosterImport
from myukm.models.roster import BUSY, ImportStatus

# A large workbook is unpacked, or the API waited for, without a heartbeat.
READER_DEAD_SECONDS, WRITER_DEAD_SECONDS, UNSERVED_SECONDS = 120.0, 15.0, 3.0
MAX_TRIES = 3


def of_imports(reading: float, writing: float = WRITER_DEAD_SECONDS) -> HolderWatchdog:
    """Return a watchdog: a reader is dead after `reading` seconds without a heartbeat, who writes
    to students after `writing` seconds."""

    def rows() -> Iterator[Open]:
        columns = (RosterImport.id, RosterImport.holder, RosterImport.heartbeat)
        query = select(*columns, RosterImport.status).where(RosterImport.status.in_(BUSY))
        for import_id, holder, heartbeat, status in db.session.execute(query).all():
            patience = reading if status == ImportStatus.READING else writing
            yield Open(import_id, holder, heartbeat, patience)

    def release(import_id: int, holder: str, _heartbeat: int) -> None:
        claim.release(import_id, holder)

    return HolderWatchdog(rows, release, _jobless, _serve, UNSERVED_SECONDS)


def _jobless(import_ids: Collection[int]) -> list[int]:
    return [each for each in import_ids if _is_over(each) or not queueing.waits(each)]


def _serve(import_id: int) -> None:
    if _is_over(import_id):
        _give_up(import_id)
    else:
        queueing.queue(import_id)


def _is_over(import_id: int) -> bool:
    """Return whether no job may try again, or none could go on."""
    return db.session.get_one(RosterImport, import_id).tries >= MAX_TRIES or not _has_source(
        import_id
    )


def _has_source(import_id: int) -> bool:
    """Return whether a job can go on: what a command reads is stored nowhere."""
    one = db.session.get_one(RosterImport, import_id)
    by_command = one.account_id is None and one.status == ImportStatus.READING
    return not by_command or parts.is_stored(import_id)


def _give_up(import_id: int) -> None:
    """End the reading of a source that has killed its readers; what has begun to write goes on."""
    reading = (RosterImport.id == import_id, RosterImport.status == ImportStatus.READING)
    one = db.session.get_one(RosterImport, import_id)
    with force_locale(one.lang):
        error = str(_("Berkas ini tidak selesai dibaca. Coba simpan sebagai CSV."))
    ended = update(RosterImport).where(*reading, RosterImport.holder.is_(None))
    with transaction() as session:
        session.execute(ended.values(status=ImportStatus.FAILED, error=error))
        again = update(RosterImport).where(RosterImport.id == import_id)
        session.execute(again.values(tries=0))


@cache
def _watchdog(reading: float) -> HolderWatchdog:
    """Return the leader's, which remembers from one round to the next."""
    return of_imports(reading)


def watch() -> None:
    """A periodic task of the leader; see `HolderWatchdog`."""
    waits = current_app.config["PEMBAYARAN_API_TIMEOUT"]
    _watchdog(READER_DEAD_SECONDS + waits).watch()
