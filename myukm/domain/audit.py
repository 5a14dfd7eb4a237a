"""The audit trail."""

from sqlalchemy import or_, select

from myukm.domain.paging import Page, paginate
from myukm.extensions import db
from myukm.logs import security_log
from myukm.models import Audit

# The trail keeps names as they were; a list of many is cut, not refused.
MAX_SUBJECT = 200
DELETION = "user.delete"


def record(actor: str, action: str, subject: str = "", *, actor_id: int | None = None) -> None:
    """Add a line to the trail and to the security log, inside the `transaction()` of the action.

    The account is `actor_id`, else the one that the request is made with; a command has none.
    """
    account = actor_id or security_log.actor_id()
    subject = subject[:MAX_SUBJECT]
    db.session.add(Audit(actor=actor, actor_id=account, action=action, subject=subject))
    security_log.record_on_commit(action, account=account, subject=subject or None)


def trail(page: int = 1, q: str = "", action: str = "", actor_id: int | None = None) -> Page[Audit]:
    """Return a page of the trail, the newest first.

    `q` is a word of who did it or of what it was about; `action` the beginning of the action;
    `actor_id` the account that did it.
    """
    query = select(Audit).order_by(Audit.id.desc())
    if q:
        matches = (
            Audit.actor.icontains(q, autoescape=True),
            Audit.subject.icontains(q, autoescape=True),
        )
        query = query.where(or_(*matches))
    if action:
        query = query.where(Audit.action.startswith(action, autoescape=True))
    if actor_id is not None:
        query = query.where(Audit.actor_id == actor_id)
    return paginate(query, page)
