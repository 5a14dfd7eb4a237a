"""Publishes the stored messages of a UKM, in a job or without one."""

import logging
import time
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import joinedload, selectinload

from myukm.db.availability import is_unavailable
from myukm.db.session import in_literals, on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain.files import attachments
from myukm.domain.push.fan_out import fan_out_later
from myukm.domain.standstill import Standstill
from myukm.domain.ukm import unread
from myukm.extensions import db, valkey
from myukm.live import event_log
from myukm.live.topics import ukm_topic
from myukm.logs.outages import Outage
from myukm.models import ChatMessage, Ukm
from myukm.queues.enqueue import enqueue

JOB = "myukm.jobs.chat.broadcast_chat_message"
QUEUED_SECONDS = 5  # after which another job is queued, in case the first one was lost
BATCH = 200  # messages per transaction
OVERDUE_SECONDS = 1.0
RUSH_SECONDS = 0.01  # the least time between two jobs of one UKM in this process

logger = logging.getLogger(__name__)
_valkey = Outage(logger, "chat: Valkey unreachable")
_database = Outage(logger, "chat: not published, the periodic task will retry")


def broadcast_later(ukm_id: int) -> None:
    """Enqueue one publishing job for the UKM, unless one is already queued.

    Without Valkey, publish here instead, which takes a few milliseconds. If that fails or the job
    is lost, `OverduePublisher` publishes the messages.
    """
    if not _queue_once(ukm_id):
        _publish_without_queue(ukm_id)


def _queue_once(ukm_id: int) -> bool:
    """Return whether a job for that UKM is queued, by this call or an earlier call."""
    try:
        first = valkey().set(_queued_key(ukm_id), b"1", nx=True, ex=QUEUED_SECONDS)
    except RedisError:
        return False
    if not first or enqueue(JOB, ukm_id) is not None:
        return True
    with suppress(RedisError):  # the flag would say for seconds that a job is queued
        valkey().delete(_queued_key(ukm_id))
    return False


def broadcast(ukm_id: int) -> int:
    """Publish the UKM's unpublished messages (the job's work) and return how many there were.

    The job's flag in Valkey is deleted before the messages are selected, so no message is missed: a
    sender that finds no flag queues the next job, and a sender that found the flag has stored its
    message before this selection. If another job of this UKM ended less than `RUSH_SECONDS` ago,
    this one waits for the rest of that time, so that one job publishes several messages."""
    time.sleep(rest_of_rush(_published_at.get(ukm_id), time.monotonic()))
    try:
        valkey().delete(_queued_key(ukm_id))
    except RedisError as error:
        _valkey.failed(error)
    else:
        _valkey.worked()
    published = publish(ukm_id)
    _published_at[ukm_id] = time.monotonic()
    return published


def rest_of_rush(published_at: float | None, now: float) -> float:
    """Return the seconds that are left of the `RUSH_SECONDS` after `published_at`, the last job of
    the UKM (None: no job yet), at least 0. Both times are of the monotonic clock."""
    return 0.0 if published_at is None else max(0.0, published_at + RUSH_SECONDS - now)


# When a job of this process last published each UKM's messages.
_published_at: dict[int, float] = {}


def _queued_key(ukm_id: int) -> str:
    return f"myukm:chat:queued:{ukm_id}"


def _publish_without_queue(ukm_id: int) -> None:
    """Publish now. A failure is only logged, because the message is stored and the periodic task
    publishes it later."""
    try:
        publish_unless_busy(ukm_id)
    except SQLAlchemyError as error:
        _database.failed(error)
    else:
        _database.worked()


def publish_unless_busy(ukm_id: int) -> int:
    """Publish without waiting for the UKM's row, one call of this process at a time.

    If another transaction holds the row, nothing is published here: it stores or publishes a
    message of this UKM, and these messages are published after it, at the latest by the next poll
    of `OverduePublisher`. Returns how many messages were published here.
    """
    _wanted.add(ukm_id)
    if ukm_id in _publishing:
        return 0
    _publishing.add(ukm_id)
    published = 0
    try:
        while ukm_id in _wanted:
            _wanted.discard(ukm_id)
            published += publish(ukm_id, wait=False)
    finally:
        _publishing.discard(ukm_id)
    return published


# The UKMs that `publish_unless_busy` is publishing, and those for which it was called meanwhile.
_publishing, _wanted = set[int](), set[int]()


def publish(ukm_id: int, *, wait: bool = True) -> int:
    """Append the events of all unpublished messages of a UKM in order of their ids; return how
    many there were.

    Locks the UKM's row, so that each message is published once and in order; without `wait` does
    nothing if another transaction holds the lock.
    """
    published = 0
    while count := _publish_batch(ukm_id, wait):
        published += count
        if count < BATCH:
            break
    return published


def _publish_batch(ukm_id: int, wait: bool) -> int:
    locked = select(Ukm.code).where(Ukm.id == ukm_id)
    with transaction() as session:
        code = session.scalar(locked.with_for_update(key_share=True, skip_locked=not wait))
        found = _unpublished(ukm_id) if code else []
        attachments.load(found)
        for message in found:
            append(message, "chat.message")
        if found:
            ids = [message.id for message in found]
            session.execute(
                update(ChatMessage).where(ChatMessage.id.in_(ids)).values(published_at=utcnow())
            )
            on_commit(unread.debounced.publish, ukm_id)
            on_commit(fan_out_later, ukm_id)
    return len(found)


def append(message: ChatMessage, kind: str) -> None:
    """Append an event of type `kind` with the message as data, inside `transaction()`."""
    event_log.append(ukm_topic(message.ukm.code), kind, message.as_json(), ref=message.id)


def messages(ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the message objects of these ids as they are now."""
    found = db.session.scalars(_WITH_RELATIONS.where(in_literals(ChatMessage.id, ids))).all()
    attachments.load(found)
    return {message.id: message.as_json() for message in found}


_WITH_RELATIONS = (
    select(ChatMessage)
    .options(joinedload(ChatMessage.user), joinedload(ChatMessage.ukm))
    .options(selectinload(ChatMessage.reply_to).joinedload(ChatMessage.user))
    .execution_options(populate_existing=True)
)


def _unpublished(ukm_id: int) -> Sequence[ChatMessage]:
    unpublished = (ChatMessage.ukm_id == ukm_id, ChatMessage.published_at.is_(None))
    query = _WITH_RELATIONS.where(*unpublished).order_by(ChatMessage.id).limit(BATCH)
    return db.session.scalars(query).all()


class OverduePublisher:
    """Publishes messages that no worker published within `OVERDUE_SECONDS`."""

    def __init__(self) -> None:
        self._waiting: Standstill[int] = Standstill(OVERDUE_SECONDS)

    def run(self) -> None:
        """Publish for each UKM whose oldest unpublished message has been the same for
        `OVERDUE_SECONDS`. Raises the errors of publishing, at the end unless the database is
        unavailable, so that no UKM keeps others from being published."""
        query = (
            select(ChatMessage.ukm_id, func.min(ChatMessage.id).label("first"))
            .where(ChatMessage.published_at.is_(None))
            .group_by(ChatMessage.ukm_id)
        )
        oldest = {row.ukm_id: row.first for row in db.session.execute(query)}
        failed: Exception | None = None
        for ukm_id in self._waiting.of(oldest):
            try:
                count = publish_unless_busy(ukm_id)
            except Exception as error:
                db.session.rollback()
                if is_unavailable(error):
                    raise
                failed = error
            else:
                if count:
                    logger.warning("chat: %s messages of UKM %s waited for a worker", count, ukm_id)
        if failed:
            raise failed
