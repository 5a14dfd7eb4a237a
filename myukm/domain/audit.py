"""The trail of who did what."""

from sqlalchemy import select

from myukm.domain.paging import Page, paginate
from myukm.extensions import db
from myukm.models import Audit

# The trail keeps names as they were; a list of many is cut, not refused.
MAX_SUBJECT = 200


def note(actor: str, action: str, subject: str = "") -> None:
    """Add a line to the trail, inside the `write()` of what it tells."""
    db.session.add(Audit(actor=actor, action=action, subject=subject[:MAX_SUBJECT]))


def trail(page: int = 1) -> Page[Audit]:
    """Return a page of the trail, the newest first."""
    return paginate(select(Audit).order_by(Audit.id.desc()), page)
