"""Jobs as rq-dashboard shows them. A job that another program stored, or a damaged one, must not
break a page."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pickle import UnpicklingError
from typing import Any

from flask_babel import gettext as _
from rq.exceptions import DeserializationError
from rq.registry import BaseRegistry
from rq.results import Result

from myukm.queues.pauses import PausableQueue
from myukm.queues.restricted_job import JobNotAllowedError, RestrictedJob

# What RQ raises for a field that it cannot read (AssertionError: the job's time-out).
DAMAGED = (ValueError, TypeError, AssertionError)
UNREADABLE = (DeserializationError, JobNotAllowedError, UnpicklingError, *DAMAGED)


class ShownJob(RestrictedJob):
    """A job for display. A job with a field that RQ cannot read is shown as damaged, without its
    fields, and can be deleted."""

    def restore(self, raw_data: Mapping[bytes, bytes]) -> None:
        try:
            super().restore(raw_data)
        except DAMAGED:
            origin = raw_data.get(b"origin", b"").decode(errors="replace")
            super().restore({b"data": raw_data.get(b"data", b""), b"origin": origin.encode()})
            shown = raw_data.get(b"description", b"").decode(errors="replace")
            self.description = _("rusak") + f": {shown}"

    def get_status(self, refresh: bool = True) -> Any:
        try:
            return super().get_status(refresh)
        except ValueError:
            return "damaged"

    def delete(self, *args: Any, **kwargs: Any) -> None:
        """Delete the job and remove it from every list, because the fields that name its list may
        be unreadable."""
        with suppress(*DAMAGED):
            super().delete(*args, **kwargs)
        queue = PausableQueue(self.origin, connection=self.connection)
        with self.connection.pipeline() as pipe:
            for registry in _registries(queue):
                pipe.zrem(registry.key, self.id)
            queue.remove(self.id, pipeline=pipe)
            pipe.unlink(self.key, self.dependents_key, Result.get_key(self.id))
            pipe.execute()

    @property
    def dependency_ids(self) -> list[Any]:
        """Return bytes, as rq-dashboard expects them."""
        return [each.encode() for each in super().dependency_ids]

    def latest_result(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().latest_result(*args, **kwargs)
        except UNREADABLE:
            return None

    def return_value(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return _as_json(super().return_value(*args, **kwargs))
        except UNREADABLE:
            return None

    def get_meta(self, *args: Any, **kwargs: Any) -> Any:
        return _as_json(super().get_meta(*args, **kwargs))


def _registries(queue: PausableQueue) -> list[BaseRegistry]:
    return [
        queue.failed_job_registry,
        queue.finished_job_registry,
        queue.scheduled_job_registry,
        queue.deferred_job_registry,
        queue.canceled_job_registry,
    ]


def _as_json(value: Any) -> Any:
    """Return the value, or its `repr` if it cannot be written as JSON."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return repr(value)
    return value
