"""Retention of log-ins, invitations and password-reset codes."""

from sqlalchemy import delete

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.models import Invitation, LoginSession, PasswordReset


def prune() -> bool:
    """Delete expired rows; return False, because nothing is left to do."""
    now = utcnow()
    with transaction() as session:
        session.execute(delete(LoginSession).where(~LoginSession.stands()))
        session.execute(delete(Invitation).where(~Invitation.stands(now)))
        session.execute(delete(PasswordReset).where(PasswordReset.expires_at < now))
    return False
