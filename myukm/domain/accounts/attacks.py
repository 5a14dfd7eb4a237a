"""Password-guessing attacks: recorded at most once an hour, shown to the owner and to admins."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts
from myukm.domain.actor import Actor
from myukm.extensions import db
from myukm.models import Activity, User

ON_ACCOUNT, FROM_ADDRESS = "attack.account", "attack.address"
LASTS = timedelta(hours=1)
BY = Actor("MyUKM")


def record_account(nim: str) -> None:
    """Record an attack on an account; its owner's pages show a notice."""
    user = accounts.by_nim(nim)
    if user is None:
        return
    with transaction() as session:  # both or none: a recorded attack is not recorded again
        if not _record(ON_ACCOUNT, f"{user.nim} {user.name}"):
            return
        mine = update(User).where(User.id == user.id, User.deleted_at.is_(None))
        session.execute(mine.values(attacked_at=utcnow()))


def record_address(address: str) -> None:
    """Record an attack on many accounts from one address."""
    _record(FROM_ADDRESS, address)


def acknowledge(user_id: int) -> None:
    """Dismiss the notice on the pages of this account."""
    with transaction() as session:
        session.execute(update(User).where(User.id == user_id).values(attacked_at=None))


def recent() -> Sequence[Activity]:
    """Return the attacks of the last hour, newest first."""
    query = select(Activity).where(
        Activity.at > utcnow() - LASTS, Activity.action.in_((ON_ACCOUNT, FROM_ADDRESS))
    )
    return db.session.scalars(query.order_by(Activity.id.desc())).all()


def _record(action: str, subject: str) -> bool:
    """Record an attack; return False if it was already recorded within the last hour."""
    if any((known.action, known.subject) == (action, subject) for known in recent()):
        return False
    with transaction():
        activity.record(BY, action, subject)
    return True
