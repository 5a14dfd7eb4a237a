"""Records connections and activity, and publishes the resulting changes of status."""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select, update

from myukm.db.session import in_literals, transaction
from myukm.db.types import utcnow
from myukm.domain.presence import connections, outbox, presence_list, store
from myukm.extensions import db
from myukm.live import pubsub
from myukm.live.topics import ukm_topic
from myukm.models import Membership, Ukm, User
from myukm.queues.enqueue import enqueue

JOB = "myukm.jobs.presence.broadcast_online_status"
REFRESH_SECONDS = 15.0
BATCH = 500
LARGE_UKM_MILLISECONDS, TYPING_MILLISECONDS = 1000, 2000


def connect(opened: Collection[tuple[int, str]]) -> None:
    """Record streams (user, connection) opened in this process."""
    _connections.open.update(opened)
    _broadcast_later(connections.record([("open", *each) for each in opened]))


def disconnect(ended: Collection[tuple[int, str]]) -> None:
    """Record streams (user, connection) that ended; their users stay online for a grace period of
    20 s (a page change)."""
    _connections.open.difference_update(ended)
    _broadcast_later(connections.record([("close", *each) for each in ended]))


def record_activity(user_id: int, device: str = "") -> None:
    """Record activity: for 5 minutes the user is not away, and views a page in the browser
    `device` ("" if unknown)."""
    _broadcast_later(connections.record([("input", user_id, device)]))


class _Connections:
    """The open streams of this process; one call refreshes all of them."""

    def __init__(self) -> None:
        self.open: set[tuple[int, str]] = set()
        self._refreshed_at = time.monotonic()

    def refresh(self) -> None:
        if time.monotonic() - self._refreshed_at >= REFRESH_SECONDS:
            self._refreshed_at = time.monotonic()
            refreshed = frozenset(self.open)
            _broadcast_later(connections.record([("keep", *entry) for entry in sorted(refreshed)]))
            if gone := refreshed - self.open:  # ended meanwhile, but `record` recorded them again
                disconnect(gone)


_connections = _Connections()


def refresh_connections() -> None:
    """Refresh this process's streams every 15 s (a periodic task of every process)."""
    _connections.refresh()


def publish_expired() -> None:
    """Queue the publishing of users whose grace period or activity expired, or whose job was lost
    (a leader task)."""
    _broadcast_later(connections.mark_expired())


def publish_delayed() -> None:
    """Publish to large UKMs what `_publish` delayed (a leader task)."""
    if delayed := outbox.take_delayed(BATCH):
        try:
            known = store.read_statuses(delayed)
            _publish({user_id: known.get(user_id, "offline") for user_id in delayed})
        except Exception:
            outbox.delay(delayed)
            raise


def _broadcast_later(user_ids: Sequence[int]) -> None:
    """Enqueue one job for all accounts whose status must be published, unless a job is queued."""
    if user_ids and outbox.queue_once():
        enqueue(JOB, user_ids[0])


def broadcast(user_id: int) -> str | None:
    """Publish the changed statuses of all accounts that wait, and of `user_id` (the job's work).

    Return the status of `user_id` if it was published. Changes from now on queue the next job.
    After a crash all accounts still wait, and the leader queues another job.
    """
    published: dict[int, str] = {}
    outbox.begin(user_id)
    full = True
    while full and (user_ids := outbox.waiting(BATCH)):
        full = len(user_ids) == BATCH
        changed = outbox.unpublished(user_ids)
        _touch([user_id for user_id, status in changed.items() if status == "offline"])
        _publish(changed)
        outbox.mark_published(user_ids, changed)
        published |= changed
    return published.get(user_id)


def _publish(statuses: Mapping[int, str]) -> None:
    """Publish these statuses to the UKMs of each account.

    A small UKM gets all statuses. A large UKM gets one of them at most once a second, because each
    goes to very many pages. Their count is right; their lists of members are behind until pages
    load them again (`static/js/chat/member_refresh.js`).
    """
    query = (
        select(Membership.ukm_id, Ukm.code, User.id, User.name, User.last_seen_at)
        .join_from(Membership, User, Membership.user_id == User.id)
        .join(Ukm, Ukm.id == Membership.ukm_id)
        .where(in_literals(Membership.user_id, statuses))
    )
    rows = db.session.execute(query).all()
    ukm_ids = {row.ukm_id for row in rows}
    large, here = presence_list.large(ukm_ids), presence_list.counts(ukm_ids)
    last = {row.ukm_id: row for row in rows if row.ukm_id in large}
    published = {ukm_id for ukm_id in last if store.once_per(LARGE_UKM_MILLISECONDS, "ukm", ukm_id)}
    outbox.delay([row.id for ukm_id, row in last.items() if ukm_id not in published])
    pubsub.publish_many(
        (
            ukm_topic(row.code),
            "presence",
            presence_list.presence_event(row.code, row, statuses[row.id], here[row.ukm_id]),
        )
        for row in rows
        if row.ukm_id not in large or (row.ukm_id in published and row is last[row.ukm_id])
    )


def publish_joined(ukm: Ukm, user_id: int) -> None:
    """Publish the status of a new member to the UKM. If that fails, the snapshot of the next stream
    has it."""
    _publish_member(ukm, user_id, store.statuses([user_id]).get(user_id, "offline"))


def publish_left(ukm: Ukm, user_id: int) -> None:
    """Publish to the UKM that a former member is offline. If that fails, the snapshot of the next
    stream omits the person."""
    _publish_member(ukm, user_id, "offline")


def _publish_member(ukm: Ukm, user_id: int, status: str) -> None:
    user = db.session.get_one(User, user_id)
    here = presence_list.counts([ukm.id])[ukm.id]
    pubsub.publish_transient(
        ukm_topic(ukm.code), "presence", presence_list.presence_event(ukm.code, user, status, here)
    )


def count_streams(user_ids: Collection[int]) -> Counter[int]:
    """Return the number of each account's open streams on all web processes (0 without Valkey)."""
    return Counter(connections.open_streams(user_ids))


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


def _touch(user_ids: Collection[int]) -> None:
    """Set the time at which these users were last seen to now."""
    if user_ids:
        with transaction() as session:
            here = update(User).where(in_literals(User.id, user_ids), User.deleted_at.is_(None))
            session.execute(here.values(last_seen_at=utcnow()))
