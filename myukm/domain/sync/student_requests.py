"""Requests to sync single students: one row of `sync_request` each, deleted when it is done.

Lanes claim these rows in their turns. Without a run, the job that was queued for a row claims it.
"""

from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from myukm.db.session import execute_rowcount, transaction
from myukm.extensions import db
from myukm.live import event_log
from myukm.models import SyncRequest
from myukm.sentences import in_each_language

MAX_LOSSES = 3
COLUMNS = tuple(SyncRequest.__table__.c)


def add(idperson: str) -> tuple[int, bool]:
    """Insert a request and return its id and True; if the student has an open request, return the
    id of that request and False."""
    try:
        with transaction() as session:
            request = SyncRequest(idperson=idperson)
            session.add(request)
            session.flush()
            return request.id, True
    except IntegrityError:
        first = find(idperson)
        return (first.id, False) if first else add(idperson)


def find(idperson: str) -> Row[Any] | None:
    """Return the open request for a student, None if there is none."""
    query = select(*COLUMNS).where(SyncRequest.idperson == idperson)
    return db.session.execute(query).one_or_none()


def cancel(request_id: int) -> bool:
    """Delete an unclaimed request; return whether that was possible."""
    with transaction() as session:
        unclaimed = (SyncRequest.id == request_id, SyncRequest.holder.is_(None))
        return execute_rowcount(session, delete(SyncRequest).where(*unclaimed)) > 0


def expire_holder(request_id: int, holder: str, heartbeat: int) -> None:
    """Release a request whose holder's heartbeat stopped; after `MAX_LOSSES` dead holders the
    request fails."""
    with transaction() as session:
        lost = update(SyncRequest).where(
            SyncRequest.id == request_id,
            SyncRequest.holder == holder,
            SyncRequest.heartbeat == heartbeat,
        )
        if not execute_rowcount(session, lost.values(holder=None, losses=SyncRequest.losses + 1)):
            return
        query = select(SyncRequest.idperson, SyncRequest.losses)
        idperson, losses = session.execute(query.where(SyncRequest.id == request_id)).one()
        if losses >= MAX_LOSSES:
            session.execute(delete(SyncRequest).where(SyncRequest.id == request_id))
            text = _("Pekerjaan gagal berkali-kali. Sebabnya ada di log worker.")
            publish(idperson, "failed", "jobs_fail", text)


def publish(idperson: str, outcome: str, code: str | None, message: Any) -> None:
    """Append the outcome with a lazy sentence as an event, inside `transaction()`."""
    texts = in_each_language(message=message)
    data = {"idperson": idperson, "outcome": outcome, "code": code, **texts}
    event_log.append("sync", "sync.siswa", data)
