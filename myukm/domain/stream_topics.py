"""The topics that an account may subscribe to."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from sqlalchemy import select

from myukm.extensions import db
from myukm.live.topics import personal_topic, ukm_topic
from myukm.models import LoginSession, Membership, Ukm, User

BY_ROLE: Mapping[str, frozenset[str]] = {
    "admin": frozenset({"sync", "queue", "alert"}),
    "bendahara": frozenset({"sync"}),
    "operator": frozenset({"sync", "queue", "alert"}),
}


def for_sessions(logins: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return the allowed topics of each valid log-in by its `token_hash`, without ended ones."""
    found: dict[str, set[str]] = defaultdict(set)
    query = (
        select(LoginSession.token_hash, User.id, User.role, Ukm.code)
        .join(User, User.id == LoginSession.user_id)
        .outerjoin(Membership, Membership.user_id == User.id)
        .outerjoin(Ukm, Ukm.id == Membership.ukm_id)
        .where(LoginSession.token_hash.in_(list(logins)), User.blocked_at.is_(None))
        .where(LoginSession.is_valid())
        .execution_options(populate_existing=True)
    )
    for login, user_id, role, code in db.session.execute(query):
        found[login] |= BY_ROLE.get(role, frozenset()) | {personal_topic(user_id)}
        if code:
            found[login].add(ukm_topic(code))
    return {login: frozenset(names) for login, names in found.items()}
