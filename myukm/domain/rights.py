"""What an account may hear on its stream."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from myukm.extensions import db
from myukm.models import LoginSession, Membership, Ukm, User

BY_ROLE: Mapping[str, frozenset[str]] = {
    "admin": frozenset({"sync", "queue", "alert"}),
    "bendahara": frozenset({"sync"}),
    "operator": frozenset({"sync", "queue", "alert"}),
}


def topics(tokens: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the topics of each log-in session that still stands, by its token."""
    found: dict[str, set[str]] = defaultdict(set)
    query = (
        select(LoginSession.token, User.id, User.role, Ukm.code)
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(Membership, Membership.user_id == User.id)
        .outerjoin(Ukm, Ukm.id == Membership.ukm_id)
        .where(LoginSession.token.in_(list(tokens)), User.blocked_at.is_(None))
        .execution_options(populate_existing=True)
    )
    for token, user_id, role, code in db.session.execute(query):
        found[token] |= BY_ROLE.get(role, frozenset()) | {mine(user_id)}
        if code:
            found[token].add(f"ukm:{code}")
    return {token: frozenset(names) for token, names in found.items()}


def mine(user_id: int) -> str:
    """Return the topic that only this account hears (`me` to the outside)."""
    return f"user:{user_id}"
