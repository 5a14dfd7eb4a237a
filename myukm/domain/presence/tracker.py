"""Records connections and activity, and publishes the changes of status that follow."""

import time
from collections import Counter
from collections.abc import Collection, Iterable

from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.presence import presence_list, store
from myukm.extensions import db
from myukm.live import pubsub
from myukm.live.topics import ukm_topic
from myukm.models import Membership, Ukm, User
from myukm.queues.enqueue import enqueue

JOB = "myukm.jobs.presence.broadcast_online_status"
REFRESH_SECONDS = 15.0
LARGE_UKM_MILLISECONDS, TYPING_MILLISECONDS = 1000, 2000


def connect(opened: Collection[tuple[int, str]]) -> None:
    """Record streams (user, connection) opened in this process."""
    _connections.open.update(opened)
    _queue_broadcasts(store.record(("open", *each) for each in opened))


def disconnect(ended: Collection[tuple[int, str]]) -> None:
    """Record streams (user, connection) that ended; their users stay online for a grace period of
    20 s (a page change)."""
    _connections.open.difference_update(ended)
    _queue_broadcasts(store.record(("close", *each) for each in ended))


def record_activity(user_id: int) -> None:
    """Record activity: the user is not away for 5 minutes."""
    _queue_broadcasts(store.record([("input", user_id, "")]))


class _Connections:
    """The open streams of this process; one call refreshes all of them."""

    def __init__(self) -> None:
        self.open: set[tuple[int, str]] = set()
        self._refreshed_at = time.monotonic()

    def refresh(self) -> None:
        if time.monotonic() - self._refreshed_at >= REFRESH_SECONDS:
            self._refreshed_at = time.monotonic()
            changed = store.record(("keep", *entry) for entry in tuple(self.open))
            _queue_broadcasts(changed)


_connections = _Connections()


def refresh_connections() -> None:
    """Refresh this process's streams every 15 s (a periodic task of every process)."""
    _connections.refresh()


def publish_expired() -> None:
    """Publish status changes of users whose grace period or activity TTL expired (leader task)."""
    _queue_broadcasts(store.changed_by_time())


def _queue_broadcasts(user_ids: Iterable[int]) -> None:
    for user_id in user_ids:
        enqueue(JOB, user_id)


def broadcast(user_id: int) -> str | None:
    """Publish the account's status to its UKMs if it changed; return the published status."""
    published = None
    while (status := store.unpublished_status(user_id)) not in (None, published):
        _publish(user_id, status)
        store.mark_published(user_id, status)
        published = status
    return published


def _publish(user_id: int, status: str) -> None:
    if status == "offline":
        touch(user_id)
    user = db.session.get(User, user_id, populate_existing=True)
    if user is None:
        return
    own_ukms = select(Membership.ukm_id).where(Membership.user_id == user_id)
    ukms = db.session.scalars(select(Ukm).where(Ukm.id.in_(own_ukms))).all()
    here = presence_list.counts([ukm.id for ukm in ukms])
    pubsub.publish_many(
        (
            ukm_topic(ukm.code),
            "presence",
            presence_list.presence_event(ukm, user, status, here[ukm.id]),
        )
        for ukm in ukms
        if _allow_publish(ukm.id)
    )


def _allow_publish(ukm_id: int) -> bool:
    """A large UKM gets one presence event a second, because it carries the count."""
    if not presence_list.is_large(ukm_id):
        return True
    return store.once_per(LARGE_UKM_MILLISECONDS, "presence", ukm_id)


def publish_joined(ukm: Ukm, user_id: int) -> None:
    """Publish the status of a new member to the UKM; a page that connects gets it in a snapshot."""
    _publish_member(ukm, user_id, store.statuses([user_id]).get(user_id, "offline"))


def publish_left(ukm: Ukm, user_id: int) -> None:
    """Publish that somebody is offline to the UKM that they left; a snapshot leaves them out."""
    _publish_member(ukm, user_id, "offline")


def _publish_member(ukm: Ukm, user_id: int, status: str) -> None:
    user = db.session.get_one(User, user_id)
    here = presence_list.counts([ukm.id])[ukm.id]
    pubsub.publish_transient(
        ukm_topic(ukm.code), "presence", presence_list.presence_event(ukm, user, status, here)
    )


def count_streams(user_ids: Collection[int]) -> Counter[int]:
    """Return the number of each account's open streams on all web processes (0 without Valkey)."""
    return Counter(store.open_streams(user_ids))


def typing(membership: Membership) -> None:
    """Publish that a member is typing: at most every 2 s, and not for muted members."""
    record_activity(membership.user_id)
    person = {
        "ukm": membership.ukm.code,
        "user_id": membership.user_id,
        "name": membership.user.name,
    }
    first = store.once_per(TYPING_MILLISECONDS, "typing", membership.id)
    if first and not membership.is_muted():
        pubsub.publish_transient(ukm_topic(membership.ukm.code), "chat.typing", person)


def touch(user_id: int) -> None:
    """Record that the user was here now."""
    with transaction() as session:
        here = update(User).where(User.id == user_id, User.deleted_at.is_(None))
        session.execute(here.values(last_seen_at=utcnow()))
