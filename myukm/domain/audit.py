"""The trail of who did what."""

from sqlalchemy import or_, select

from myukm.domain.paging import Page, paginate
from myukm.extensions import db
from myukm.models import Audit

# The trail keeps names as they were; a list of many is cut, not refused.
MAX_SUBJECT = 200
DELETION = "user.delete"


def note(actor: str, action: str, subject: str = "") -> None:
    """Add a line to the trail, inside the `write()` of what it tells."""
    db.session.add(Audit(actor=actor, action=action, subject=subject[:MAX_SUBJECT]))


def trail(page: int = 1, q: str = "", action: str = "") -> Page[Audit]:
    """Return a page of the trail, the newest first.

    `q` is a word of who did it or of what it was about; `action` the beginning of the action.
    """
    query = select(Audit).order_by(Audit.id.desc())
    if q:
        told = (
            Audit.actor.icontains(q, autoescape=True),
            Audit.subject.icontains(q, autoescape=True),
        )
        query = query.where(or_(*told))
    if action:
        query = query.where(Audit.action.startswith(action, autoescape=True))
    return paginate(query, page)
