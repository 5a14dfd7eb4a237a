"""Pausing a queue: the database decides which queues are paused, Valkey has a copy for workers."""

import time
from typing import NamedTuple

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.standstill import SeenTwice
from myukm.extensions import db, valkey
from myukm.models import QueuePause
from myukm.queues import pauses
from myukm.queues.jobs import QUEUES


class Version(NamedTuple):
    """Whether a queue is paused, and the generation of the change that paused or resumed it."""

    queue: str
    generation: int
    paused: bool


def pause(actor: Actor, queue: str) -> bool:
    """Let no job of `queue` begin until it is resumed; return whether it was not paused yet.

    Jobs that have begun end. Without Valkey the pause holds as soon as Valkey is back.
    """
    return _change(actor, queue, paused=True)


def resume(actor: Actor, queue: str) -> bool:
    """Let the jobs of `queue` begin again, in their order; return whether it was paused."""
    return _change(actor, queue, paused=False)


def paused() -> list[QueuePause]:
    """Return the paused queues in the order of their pauses."""
    query = select(QueuePause).where(QueuePause.since.is_not(None)).order_by(QueuePause.since)
    return list(db.session.scalars(query))


def versions() -> list[Version]:
    """Return the state of every queue as the database has it."""
    columns = (QueuePause.queue, QueuePause.generation, QueuePause.since)
    found = db.session.execute(select(*columns))
    rows = {name: (generation, since) for name, generation, since in found}
    states = {name: rows.get(name, (0, None)) for name in QUEUES}
    return [Version(name, number, since is not None) for name, (number, since) in states.items()]


def copy_all() -> list[Version]:
    """Copy the state of every queue to Valkey, except resumed queues that Valkey has as resumed and
    whose parking lists are empty.

    Returns the versions that Valkey refused because it has a higher generation. Raises RedisError.
    """
    resumed = pauses.resumed(valkey(), QUEUES)
    return [
        each
        for each in versions()
        if (each.paused or resumed.get(each.queue) != each.generation)
        and not pauses.apply(valkey(), each.queue, each.generation, paused=each.paused)
    ]


def restore_copy(queue: str) -> bool:
    """Copy all states to Valkey, which lost them, and return whether the database has this queue
    paused.

    Returns False if the database does not answer: the queue counts as resumed, because its jobs
    need the database and wait for it themselves.
    """
    try:
        states = {each.queue: each.paused for each in versions()}
        copy_all()
    except SQLAlchemyError:
        db.session.rollback()
        return False
    return states.get(queue, False)


class PauseAsserter:
    """Keeps Valkey's copy equal to the database: after a pause without Valkey, after Valkey lost
    its data, after the database was restored. Also parks jobs that other programs enqueued."""

    def __init__(self) -> None:
        self._outdated = SeenTwice[Version]()

    def run(self) -> None:
        """Copy the state once. A higher generation in Valkey is overwritten only if two calls in a
        row find it, because a single call may have read the database before a change."""
        for each in self._outdated.of(copy_all()):
            pauses.apply(valkey(), each.queue, each.generation, paused=each.paused, force=True)


def _change(actor: Actor, queue: str, *, paused: bool) -> bool:
    try:
        return _write(actor, queue, paused=paused)
    except IntegrityError:  # another request has inserted the row of this queue's first pause
        return _write(actor, queue, paused=paused)


def _write(actor: Actor, queue: str, *, paused: bool) -> bool:
    with transaction() as session:
        row = session.get(QueuePause, queue, with_for_update=True)
        if row is None:
            row = QueuePause(queue=queue, generation=0)
            session.add(row)
        if (row.since is not None) == paused:
            return False
        row.generation = max(row.generation + 1, int(time.time() * 1000))
        row.since, row.actor_name = (utcnow(), actor.name) if paused else (None, None)
        activity.record(actor, "queue.pause" if paused else "queue.resume", queue)
        on_commit(_apply, Version(queue, row.generation, paused))
    return True


def _apply(version: Version) -> None:
    """Copy a change to Valkey. If this fails, `PauseAsserter` copies it later."""
    try:
        pauses.apply(valkey(), version.queue, version.generation, paused=version.paused)
    except RedisError:
        return
