"""Restricts jobs to calls of our own functions with plain values, because RQ unpickles jobs and
whoever can write to Valkey could otherwise run any code."""

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any

from redis import Redis
from rq.exceptions import NoSuchJobError
from rq.job import Job as RQJob

from myukm.queues.jobs import JOBS
from myukm.queues.pauses import parking_key


class JobNotAllowedError(Exception):
    """A job contains an object, or names a function that is not in JOBS."""


class _PrimitiveUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise JobNotAllowedError(f"{module}.{name} does not belong in a job")


class PrimitivePickle:
    """RQ's pickle format, restricted to plain values when reading.

    Plain `rq worker` can read what this writes.
    """

    @staticmethod
    def dumps(value: Any) -> bytes:
        return pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL)

    @staticmethod
    def loads(data: bytes) -> Any:
        return _PrimitiveUnpickler(io.BytesIO(data)).load()


class RestrictedJob(RQJob):
    """A job that can only call one of JOBS: no callback, no method, no webhook."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 (RQ calls it so)
        connection: Redis | None = None,
        serializer: Any = None,
    ) -> None:
        try:
            super().__init__(id, connection, PrimitivePickle)
        except ValueError:  # an id from a URL or a command line may be malformed
            raise NoSuchJobError(f"no job can have the id {id!r}") from None

    @property
    def func(self) -> Callable[..., Any]:
        if self.func_name not in JOBS or self.instance is not None:
            raise JobNotAllowedError(f"{self.func_name} is not a job of this program")
        found: Callable[..., Any] = super().func
        return found

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        extras = ("callback_name", "webhooks")
        allowed = {k: v for k, v in raw_data.items() if not k.decode().endswith(extras)}
        super().restore(allowed)

    def _remove_from_registries(self, pipeline: Any = None, remove_from_queue: bool = True) -> None:
        super()._remove_from_registries(pipeline, remove_from_queue)
        if remove_from_queue:
            client = self.connection if pipeline is None else pipeline
            client.lrem(parking_key(self.origin), 1, self.id)
