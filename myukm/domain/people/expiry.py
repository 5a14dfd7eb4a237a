"""What runs out by itself: a log-in that nobody used for a month, a code after its day."""

from datetime import timedelta

from flask import current_app
from sqlalchemy import delete

from myukm.database import utcnow, write
from myukm.models import LoginSession, PasswordReset


def prune() -> bool:
    """Delete log-ins whose cookie is too old to be taken, and old codes; there is no more to do."""
    now = utcnow()
    oldest = now - current_app.permanent_session_lifetime - timedelta(days=1)
    with write() as session:
        session.execute(delete(LoginSession).where(LoginSession.seen_at < oldest))
        session.execute(delete(PasswordReset).where(PasswordReset.expires_at < now))
    return False
