"""From stored to heard: publishing what waits in a UKM, by a job or without one."""

import logging
from collections.abc import Sequence

from redis.exceptions import RedisError
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import joinedload, selectinload

from myukm import queues
from myukm.database import utcnow, write
from myukm.domain.chat import unread
from myukm.extensions import db, valkey
from myukm.live import log as events
from myukm.models import ChatMessage, Ukm

JOB = "myukm.jobs.chat.broadcast_chat_message"
QUEUED_SECONDS = 5
BATCH = 200

log = logging.getLogger(__name__)


def topic(code: str) -> str:
    """Return the topic that the members of a UKM hear."""
    return f"ukm:{code}"


def broadcast_later(ukm_id: int) -> None:
    """Queue one job for what waits in a UKM, unless one waits already.

    While Valkey is away the messages are published here: that costs a few milliseconds, and
    nobody waits for the watch to take them over.
    """
    if not _queue_once(ukm_id):
        _publish_without_queue(ukm_id)


def _queue_once(ukm_id: int) -> bool:
    """Return whether a job waits for that UKM now."""
    try:
        first = valkey().set(_flag(ukm_id), b"1", nx=True, ex=QUEUED_SECONDS)
    except RedisError:
        return False
    return not first or queues.enqueue(JOB, ukm_id) is not None


def broadcast(ukm_id: int) -> int:
    """Publish what waits in a UKM, as the job does; return how many messages there were.

    The flag goes before the messages are selected: who finds it gone queues the next job, who
    still found it stored a message that is selected here.
    """
    try:
        valkey().delete(_flag(ukm_id))
    except RedisError as error:
        log.warning("chat: Valkey is away: %s", error)
    return publish(ukm_id)


def _flag(ukm_id: int) -> str:
    return f"myukm:chat:queued:{ukm_id}"


def _publish_without_queue(ukm_id: int) -> None:
    """The sender's message is stored; a failure here is made good by the watch."""
    try:
        publish(ukm_id)
    except SQLAlchemyError as error:
        log.warning("chat: UKM %s waits for the watch: %s", ukm_id, error)


def publish(ukm_id: int) -> int:
    """Append the events of all unpublished messages of a UKM, in the order of their ids.

    Returns how many there were. The UKM's row is locked, so that each message is published once
    and never before one with a lower id.
    """
    published = 0
    while count := _publish_batch(ukm_id):
        published += count
        if count < BATCH:
            break
    if published:
        unread.tell_soon(ukm_id)
    return published


def _publish_batch(ukm_id: int) -> int:
    with write() as session:
        code = session.scalar(
            select(Ukm.code).where(Ukm.id == ukm_id).with_for_update(key_share=True)
        )
        waiting = _waiting(ukm_id) if code else []
        for message in waiting:
            events.append(topic(message.ukm.code), "chat.message", message.as_json())
        if waiting:
            ids = [message.id for message in waiting]
            session.execute(
                update(ChatMessage).where(ChatMessage.id.in_(ids)).values(published_at=utcnow())
            )
    return len(waiting)


def _waiting(ukm_id: int) -> Sequence[ChatMessage]:
    query = (
        select(ChatMessage)
        .options(joinedload(ChatMessage.user), joinedload(ChatMessage.ukm))
        .options(selectinload(ChatMessage.reply_to).joinedload(ChatMessage.user))
        .where(ChatMessage.ukm_id == ukm_id, ChatMessage.published_at.is_(None))
        .order_by(ChatMessage.id)
        .limit(BATCH)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


class Overdue:
    """Messages that no worker published: two looks per process and second, without any clock."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._seen_before: dict[int, int] = {}

    def publish_overdue(self) -> None:
        """Publish where a message waits that already waited at the two looks before."""
        query = (
            select(ChatMessage.ukm_id, func.min(ChatMessage.id), func.max(ChatMessage.id))
            .where(ChatMessage.published_at.is_(None))
            .group_by(ChatMessage.ukm_id)
        )
        waiting = db.session.execute(query).all()
        before = self._seen_before
        overdue = [ukm_id for ukm_id, oldest, _ in waiting if oldest <= before.get(ukm_id, -1)]
        self._seen_before = self._seen
        self._seen = {ukm_id: newest for ukm_id, _, newest in waiting}
        for ukm_id in overdue:
            count = publish(ukm_id)
            log.warning("chat: %s messages of UKM %s waited for a worker", count, ukm_id)
