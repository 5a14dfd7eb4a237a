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


def settle(session: Session, done: RosterImport, status: ImportStatus) -> None:
    """End an import that changed students, so that another one may change them."""
    done.status, done.settled, done.settled_at = status, newest(session) + 1, utcnow()
    done.live = done.holder = None
    done.tries = 0
