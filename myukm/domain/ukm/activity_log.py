"""A unit's log: who did what in it, for its admins."""

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from myukm.domain.paging import Page, paginate
from myukm.extensions import db
from myukm.logs import security_log
from myukm.models import UkmLog

MAX_DETAIL = 200


def record(
    ukm_id: int,
    actor_id: int | None,
    action: str,
    *,
    person_id: int | None = None,
    detail: str = "",
) -> None:
    """Add a line here and in the security log, inside the `transaction()` of the action.

    `person_id` is whom it was done to; no `actor_id`: the campus's command line.
    """
    line = UkmLog(ukm_id=ukm_id, actor_id=actor_id, action=action, person_id=person_id)
    line.detail = detail[:MAX_DETAIL]
    db.session.add(line)
    security_log.record_on_commit(f"unit.{action}", ukm=ukm_id, target=person_id)


def newest(ukm_id: int, *actions: str) -> UkmLog | None:
    """Return the newest line of a unit's log about one of these actions, with who did it."""
    query = (
        select(UkmLog)
        .options(joinedload(UkmLog.actor))
        .where(UkmLog.ukm_id == ukm_id, UkmLog.action.in_(actions))
        .order_by(UkmLog.id.desc())
        .limit(1)
    )
    return db.session.scalar(query)


def page(ukm_id: int, number: int = 1) -> Page[UkmLog]:
    """Return a page of a unit's log, the newest first, with the people it names."""
    query = (
        select(UkmLog)
        .options(joinedload(UkmLog.actor), joinedload(UkmLog.person))
        .where(UkmLog.ukm_id == ukm_id)
        .order_by(UkmLog.id.desc())
    )
    return paginate(query, number)
