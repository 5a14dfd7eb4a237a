"""What runs out by itself: log-ins, invitations, codes for a forgotten password."""

from sqlalchemy import delete

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.models import Invitation, LoginSession, PasswordReset


def prune() -> bool:
    """Delete what has run out; there is no more to do."""
    now = utcnow()
    with transaction() as session:
        session.execute(delete(LoginSession).where(~LoginSession.stands(now)))
        session.execute(delete(Invitation).where(~Invitation.stands(now)))
        session.execute(delete(PasswordReset).where(PasswordReset.expires_at < now))
    return False
