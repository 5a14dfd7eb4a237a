"""Push subscriptions of browsers. A subscription belongs to a log-in and ends with it."""

import hashlib
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, delete, exists, select
from sqlalchemy.exc import IntegrityError

from myukm.cache import ttl_cache
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.push import endpoints
from myukm.errors import Conflict
from myukm.extensions import db
from myukm.models import LoginSession, PushSubscription, User

# For how long `any_subscribed` may miss the first subscription, which another process has stored.
KNOWN_SECONDS = 1.0


def subscribe(login: str, endpoint: str, p256dh: str, auth: str, lang: str) -> PushSubscription:
    """Store the browser's subscription for the log-in `login` (its token's digest).

    It replaces the log-in's older subscription, and that of any other log-in with this endpoint, so
    that a shared browser shows its last user's notifications only. Raises `Invalid`, and
    `Conflict` if two tabs subscribe at the same moment.
    """
    endpoints.check_endpoint(endpoint)
    endpoints.check_keys(p256dh, auth)
    digest = hashlib.sha256(endpoint.encode()).hexdigest()
    values = {"endpoint": endpoint, "endpoint_hash": digest}
    values |= {"p256dh": p256dh, "auth": auth, "lang": lang}
    try:
        with transaction() as session:
            same, other = PushSubscription.endpoint_hash == digest, PushSubscription.login != login
            session.execute(delete(PushSubscription).where(same, other))
            known = find(login)
            if known is None:
                known = PushSubscription(login=login, created_at=utcnow())
                session.add(known)
            for name, value in values.items():
                setattr(known, name, value)
    except IntegrityError:
        text = _("Perangkat ini sedang diaktifkan di tab lain. Coba lagi.")
        raise Conflict(text, code="try_again") from None
    return known


def renew(login: str, endpoint: str, p256dh: str, auth: str, lang: str) -> PushSubscription:
    """Replace the subscription of a log-in by the one that its browser has renewed by itself.

    Raises as `subscribe` and `require`: a browser may still have the subscription of an earlier
    person, while this person has not switched notifications on.
    """
    require(login)
    return subscribe(login, endpoint, p256dh, auth, lang)


def require(login: str) -> PushSubscription:
    """Return the subscription of a log-in. Raises `Conflict` if it has none."""
    if (known := find(login)) is None:
        raise Conflict(_("Pemberitahuan belum aktif di perangkat ini."), code="not_subscribed")
    return known


def unsubscribe(login: str) -> None:
    """Delete the browser's subscription."""
    with transaction() as session:
        session.execute(delete(PushSubscription).where(PushSubscription.login == login))


def find(login: str) -> PushSubscription | None:
    """Return the subscription of a log-in, None without one."""
    return db.session.scalar(select(PushSubscription).where(PushSubscription.login == login))


def select_valid(*columns: Any) -> Select[*tuple[Any, ...]]:
    """Return the query of these columns for subscriptions whose log-in is valid and whose account
    is not blocked."""
    return (
        select(*columns)
        .select_from(PushSubscription)
        .join(LoginSession, LoginSession.token_hash == PushSubscription.login)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.is_valid(), User.blocked_at.is_(None))
    )


@ttl_cache(KNOWN_SECONDS)
def any_subscribed() -> bool:
    """Return whether any browser is subscribed, because otherwise no job is needed."""
    return bool(db.session.scalar(select(exists().where(PushSubscription.id > 0))))
