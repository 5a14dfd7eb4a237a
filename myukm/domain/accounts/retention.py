"""Retention of log-ins, invitations, and codes for passwords and students."""

from myukm.db.session import delete_some, transaction
from myukm.db.types import utcnow
from myukm.models import Invitation, LoginSession, PasswordReset, StudentCode

PORTION = 500  # rows of a table; with a log-in go its push subscription and what that still gets


def prune() -> bool:
    """Delete the next expired rows of each table; return whether more may be left."""
    now = utcnow()
    expired = (
        (LoginSession, ~LoginSession.is_valid()),
        (Invitation, ~Invitation.is_valid(now)),
        (StudentCode, ~StudentCode.is_valid(now)),
        (PasswordReset, PasswordReset.expires_at < now),
    )
    with transaction() as session:
        found = [delete_some(session, table, which, PORTION) for table, which in expired]
    return PORTION in found
