"""Retention of log-ins, invitations, and codes for passwords and students."""

from sqlalchemy import delete

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.models import Invitation, LoginSession, PasswordReset, StudentCode


def prune() -> bool:
    """Delete expired rows; return False, because nothing is left to do."""
    now = utcnow()
    with transaction() as session:
        session.execute(delete(LoginSession).where(~LoginSession.is_valid()))
        session.execute(delete(Invitation).where(~Invitation.is_valid(now)))
        session.execute(delete(StudentCode).where(~StudentCode.is_valid(now)))
        session.execute(delete(PasswordReset).where(PasswordReset.expires_at < now))
    return False
