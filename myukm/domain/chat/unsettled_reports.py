"""Reports of a UKM's messages that have no decision: counts and settles them."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from myukm.db.session import execute_rowcount, on_commit
from myukm.db.types import utcnow
from myukm.domain.ukm import state
from myukm.extensions import db
from myukm.models import MessageReport, Ukm


def of_ukm(ukm_id: int) -> ColumnElement[bool]:
    """Return the SQL condition for a UKM's reports without a decision."""
    return and_(MessageReport.ukm_id == ukm_id, MessageReport.settled_at.is_(None))


def count(ukm_id: int) -> int:
    """Return the number of reported messages without a decision."""
    query = select(func.count(MessageReport.message_id.distinct())).where(of_ukm(ukm_id))
    return db.session.scalar(query) or 0


def settle(session: Session, ukm: Ukm, message_id: int) -> int:
    """Settle all reports of a message, inside `transaction()`, and return how many there were."""
    unsettled = update(MessageReport).where(of_ukm(ukm.id), MessageReport.message_id == message_id)
    settled = execute_rowcount(session, unsettled.values(settled_at=utcnow()))
    if settled:
        on_commit(publish, ukm)
    return settled


def publish(ukm: Ukm) -> None:
    """Publish the number to the UKM's admins. If that fails, a page reads the number when it loads,
    or after a gap of the stream."""
    event: dict[str, Any] = {"ukm": ukm.code, "open": count(ukm.id)}
    state.publish_to_admins(ukm, "ukm.reports", event)
