"""The queues, which job goes where, the one way to enqueue, and what may travel in a job.

Jobs are named by dotted path, so that nothing here imports them. Their arguments are ids.
"""

import io
import logging
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from flask import current_app
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job as RQJob

from myukm.extensions import valkey

HIGH = "high"
DEFAULT = "default"
SYNC = "sync-pembayaran"
QUEUES = (HIGH, DEFAULT, SYNC)
RESULT_SECONDS = 600
FAILURE_SECONDS = 7 * 86_400

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """Where a job runs and how long it may take (seconds; None: `SYNC_JOB_TIMEOUT`)."""

    queue: str
    timeout: int | None


JOBS: dict[str, Job] = {
    "myukm.jobs.chat.broadcast_chat_message": Job(HIGH, 30),
    "myukm.jobs.presence.broadcast_online_status": Job(DEFAULT, 30),
    "myukm.jobs.upkeep.ping": Job(DEFAULT, 30),
    "myukm.jobs.sync_pembayaran.dispatch_sync_pembayaran": Job(SYNC, None),
    "myukm.jobs.sync_pembayaran.sync_pembayaran_lane": Job(SYNC, None),
    "myukm.jobs.sync_pembayaran.sync_pembayaran_siswa": Job(SYNC, None),
}


class RefusedJobError(Exception):
    """A job asks for something that no job of ours does."""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise RefusedJobError(f"{module}.{name} does not belong in a job")


class PlainPickle:
    """RQ's wire format without its danger: only plain values are read, never an object.

    RQ's own workers read what this writes. Who can write to Valkey can put any pickle there.
    """

    @staticmethod
    def dumps(value: Any) -> bytes:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)

    @staticmethod
    def loads(data: bytes) -> Any:
        return _PlainUnpickler(io.BytesIO(data)).load()


class OwnJob(RQJob):
    """A job that calls one of JOBS and nothing else: no callback, no method, no web hook."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 (RQ calls it so)
        connection: Redis | None = None,
        serializer: Any = None,
    ) -> None:
        try:
            super().__init__(id, connection, PlainPickle)
        except ValueError:  # no job has such an id: it comes from an address or a command line
            raise NoSuchJobError(f"no job can have the id {id!r}") from None

    @property
    def func(self) -> Callable[..., Any]:
        if self.func_name not in JOBS or self.instance is not None:
            raise RefusedJobError(f"{self.func_name} is not a job of this program")
        found: Callable[..., Any] = super().func
        return found

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        extras = ("callback_name", "webhooks")
        kept = {k: v for k, v in raw_data.items() if not k.decode().endswith(extras)}
        super().restore(kept)


def queue(name: str) -> Queue:
    """Return RQ's queue of that name on the app's Valkey; the jobs it reads are `OwnJob`s."""
    return Queue(name, connection=valkey(), job_class=OwnJob, serializer=PlainPickle)


def enqueue(
    path: str,
    *args: Any,
    to: str | None = None,
    job_id: str | None = None,
    at_front: bool = False,
) -> str | None:
    """Put the job at `path` into its queue (or `to`) and return its id (`job_id` when given).

    Returns None when Valkey does not take it: what must happen all the same is in the database,
    and the watch that looks there catches up. Raises KeyError for a job that JOBS doesn't name.
    """
    job = JOBS[path]
    try:
        queued = queue(to or job.queue).enqueue(
            path,
            *args,
            job_id=job_id,
            at_front=at_front,
            job_timeout=job.timeout or current_app.config["SYNC_JOB_TIMEOUT"],
            result_ttl=RESULT_SECONDS,
            failure_ttl=FAILURE_SECONDS,
            description=f"{path.rsplit('.', 1)[1]}({', '.join(map(str, args))})",
        )
    except RedisError as error:
        log.warning("%s was not queued: %s", path, error)
        return None
    return str(queued.id)


def remove(name: str, job_ids: Sequence[str]) -> None:
    """Take waiting jobs out of the queue, in one trip. Raises RedisError."""
    source = queue(name)
    with source.connection.pipeline() as pipe:
        for job_id in job_ids:
            pipe.lrem(source.key, 1, job_id)
            pipe.delete(OwnJob.key_for(job_id))
        pipe.execute()
