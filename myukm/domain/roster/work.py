"""What a job does for an import: read, apply or undo, by the import's status."""

import io
from contextlib import suppress

from flask_babel import force_locale
from flask_babel import gettext as _
from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import SQLAlchemyError

from myukm.db import json as decimal_json
from myukm.db.availability import is_unavailable
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api.client import MAX_ROSTER_BYTES
from myukm.domain.roster import api_source, applying, file_source, imports, parts, planning
from myukm.domain.roster.claim import Claim, ClaimLost, take
from myukm.domain.roster.reader import Reader
from myukm.errors import DomainError
from myukm.extensions import db
from myukm.models import Role, RosterImport, User
from myukm.models.roster import ImportStatus

# Twice the limit of the API's answer, because our field names, with which it is stored, are longer.
MAX_ANSWER_BYTES = 2 * MAX_ROSTER_BYTES


def advance(import_id: int) -> None:
    """Take the import's next step, unless it needs none or another holder works on it."""
    claim = take(import_id)
    if claim is None:
        return
    roster_import = db.session.get_one(RosterImport, import_id)
    with force_locale(roster_import.lang), suppress(ClaimLost):
        try:
            STEPS[ImportStatus(roster_import.status)](claim)
        except DomainError as error:
            _fail(claim, str(error))
        except Exception as error:
            if not _is_temporary(error):
                db.session.rollback()
                _fail(claim, _("Tidak selesai dibaca. Sebabnya ada di log worker."))
            raise


def _is_temporary(error: Exception) -> bool:
    """Return whether another job may succeed, because the database was unavailable, or this job was
    interrupted or lost its claim."""
    if isinstance(error, SQLAlchemyError):
        return is_unavailable(error)
    return isinstance(error, ClaimLost | JobTimeoutException)


def _fail(claim: Claim, message: str) -> None:
    """End an import whose source cannot be read. An import that is being written stays, so that
    another job continues it."""
    with transaction() as session:
        roster_import = claim.lock(session)
        if roster_import.status != ImportStatus.READING:
            return
        roster_import.status, roster_import.error = ImportStatus.FAILED, message[:500]
        roster_import.holder, roster_import.created_at = None, utcnow()


def _read(claim: Claim) -> None:
    is_api = db.session.get_one(RosterImport, claim.import_id).source == imports.API
    if is_api and not parts.is_stored(claim.import_id):
        _store_answer(claim)
    with parts.opened(claim.import_id) as file:
        if is_api:
            reader = Reader(api_source.rows(decimal_json.loads(file.read())), api_source.describe)
        else:
            reader = Reader(file_source.rows(file, with_nim=_may_link(claim)))
        planning.plan(claim, reader)


def _may_link(claim: Claim) -> bool:
    """Return whether the column `nim` is read: only the import of an admin links accounts."""
    roster_import = db.session.get_one(RosterImport, claim.import_id)
    importer = db.session.get(User, roster_import.account_id) if roster_import.account_id else None
    return importer is not None and importer.role == Role.ADMIN


def _store_answer(claim: Claim) -> None:
    body = decimal_json.dumps(api_source.fetch()).encode()
    with transaction() as session:
        claim.lock(session)
        parts.store(session, claim.import_id, io.BytesIO(body), MAX_ANSWER_BYTES)


STEPS = {
    ImportStatus.READING: _read,
    ImportStatus.APPLYING: applying.apply,
    ImportStatus.UNDOING: applying.undo,
}
