"""Claims on imports: one holder at a time works on an import, and raises its heartbeat in each
transaction."""

import secrets
from typing import NamedTuple

from sqlalchemy import Update, select, update
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, transaction
from myukm.models import RosterImport
from myukm.models.roster import BUSY


class ClaimLost(Exception):
    """Another holder has claimed the import, or the import was withdrawn."""


class Claim(NamedTuple):
    """An import that `holder` works on."""

    import_id: int
    holder: str

    def lock(self, session: Session) -> RosterImport:
        """Lock and return the import and raise its heartbeat. Raises `ClaimLost`."""
        ours = (RosterImport.id == self.import_id, RosterImport.holder == self.holder)
        query = select(RosterImport).where(*ours).with_for_update()
        found = session.scalar(query.execution_options(populate_existing=True))
        if found is None:
            raise ClaimLost
        found.heartbeat += 1
        return found


def new_holder() -> str:
    """Return the name of a new holder."""
    return secrets.token_hex(16)


def take(import_id: int) -> Claim | None:
    """Return a new claim on an import; None if it needs no work or another holder has it."""
    claim = Claim(import_id, new_holder())
    free = _update(import_id).where(RosterImport.status.in_(BUSY), RosterImport.holder.is_(None))
    with transaction() as session:
        return claim if execute_rowcount(session, free.values(holder=claim.holder)) else None


def release(import_id: int, holder: str, heartbeat: int) -> None:
    """Release the claim of a dead holder, unless its heartbeat is no longer `heartbeat`."""
    with transaction() as session:
        dead = _update(import_id).where(
            RosterImport.holder == holder, RosterImport.heartbeat == heartbeat
        )
        session.execute(dead.values(holder=None, tries=RosterImport.tries + 1))


def _update(import_id: int) -> Update:
    return update(RosterImport).where(RosterImport.id == import_id)
