"""Numbers of imports in the order in which they were applied or undone. A preview is outdated if an
import got a number after the preview was made."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from myukm.db.types import utcnow
from myukm.models import RosterImport
from myukm.models.roster import ImportStatus


def newest(session: Session) -> int:
    """Return the highest number given so far, 0 before the first import."""
    return session.scalar(select(func.max(RosterImport.settled))) or 0


def settle(session: Session, roster_import: RosterImport, status: ImportStatus) -> None:
    """End an import that changed students, so that another one may change them."""
    number = newest(session) + 1
    roster_import.status = status
    roster_import.settled, roster_import.settled_at = number, utcnow()
    roster_import.live = roster_import.holder = None
    roster_import.tries = 0
