"""Subscriptions of browsers. One belongs to the log-in of its browser, and ends with it."""

import hashlib
from typing import Any

from sqlalchemy import Select, delete, exists, select
from sqlalchemy.exc import IntegrityError

from myukm.cache import ttl_cache
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.push import endpoints
from myukm.errors import Conflict
from myukm.extensions import db
from myukm.models import LoginSession, PushSubscription, User

# The most that another process may have subscribed and this one has not seen.
KNOWN_SECONDS = 1.0


def subscribe(login: str, endpoint: str, p256dh: str, auth: str, lang: str) -> PushSubscription:
    """Store the browser's subscription for the log-in `login` (its token's digest), in place of an
    older one; whoever used this browser before gets nothing there any more.

    Raises `Invalid`, and `Conflict` if the same browser subscribes twice at the same moment.
    """
    endpoints.check_endpoint(endpoint)
    endpoints.check_keys(p256dh, auth)
    digest = hashlib.sha256(endpoint.encode()).hexdigest()
    values = {"endpoint": endpoint, "endpoint_hash": digest}
    values |= {"p256dh": p256dh, "auth": auth, "lang": lang}
    try:
        with transaction() as session:
            theirs = (PushSubscription.endpoint_hash == digest, PushSubscription.login != login)
            session.execute(delete(PushSubscription).where(*theirs))
            known = find(login)
            if known is None:
                known = PushSubscription(login=login, created_at=utcnow())
                session.add(known)
            for name, value in values.items():
                setattr(known, name, value)
    except IntegrityError:
        raise Conflict("The browser subscribes twice.", code="try_again") from None
    return known


def unsubscribe(login: str) -> None:
    """Delete the browser's subscription."""
    with transaction() as session:
        session.execute(delete(PushSubscription).where(PushSubscription.login == login))


def find(login: str) -> PushSubscription | None:
    """Return the subscription of a log-in, None without one."""
    return db.session.scalar(select(PushSubscription).where(PushSubscription.login == login))


def standing(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Return the query of these columns over subscriptions whose log-in stands and whose account is
    not blocked."""
    return (
        select(*columns)
        .select_from(PushSubscription)
        .join(LoginSession, LoginSession.token_hash == PushSubscription.login)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.is_valid(), User.blocked_at.is_(None))
    )


@ttl_cache(KNOWN_SECONDS)
def any_subscribed() -> bool:
    """Return whether any browser is subscribed, so that an installation without pays nothing."""
    return bool(db.session.scalar(select(exists().where(PushSubscription.id > 0))))
