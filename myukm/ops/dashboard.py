"""rq-dashboard mounted in the app, with our connection and `RestrictedJob`.

rq-dashboard opens its own connections and unpickles whatever a job contains, so `mount` replaces
the classes that its module uses. Permissions are checked in `web/admin/queues.py`.
"""

import re
from datetime import UTC, datetime
from typing import Any

import redis
from flask import Flask, current_app
from rq import Worker
from rq.job import Job
from rq_dashboard import blueprint
from rq_dashboard import web as rq_dashboard_web

from myukm.ops.dashboard_jobs import UNREADABLE, ShownJob
from myukm.queues.failed_jobs import retry
from myukm.queues.pauses import PausableQueue
from myukm.queues.restricted_job import PrimitivePickle
from myukm.valkey_clients import background_client

NAME = blueprint.name
# Names that are safe, because rq-dashboard writes queue names into inline scripts, and PostgreSQL
# (the activity log) stores no NUL in a job's id.
PLAIN_NAME = re.compile(r"[\w.:-]{1,100}")
REGISTRIES = frozenset(
    {"queued", "scheduled", "deferred", "started", "finished", "failed", "canceled"}
)


class _Queue(PausableQueue):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "job_class": ShownJob, "serializer": PrimitivePickle})

    def fetch_job(self, job_id: str) -> Job | None:
        try:
            return super().fetch_job(job_id)
        except UNREADABLE:
            return None  # the lists leave out a job that cannot be read

    @classmethod
    def all(cls, *args: Any, **kwargs: Any) -> list[Any]:
        return [each for each in super().all(*args, **kwargs) if PLAIN_NAME.fullmatch(each.name)]

    def compact(self) -> None:
        if self.count:  # RQ renames the list, which does not exist when the queue is empty
            super().compact()  # type: ignore[no-untyped-call]


class _Worker(Worker):
    job_class = ShownJob

    def _set_connection(self, connection: redis.Redis) -> redis.Redis:
        return connection  # RQ's own method would raise the shared pool's time-out to minutes


def mount(app: Flask, prefix: str) -> None:
    """Register the dashboard's pages below `prefix`."""
    module = rq_dashboard_web
    module.Job, module.Queue, module.Worker = ShownJob, _Queue, _Worker
    module.serialize_date = _utc_without_offset
    module.from_url = lambda *_, **__: (None, current_app.extensions["dashboard_valkey"])
    module.requeue_job = lambda job_id, connection: retry([job_id])
    client = background_client(app.config["REDIS_URL"])
    app.extensions["dashboard_valkey"] = app.redis_conn = client  # type: ignore[attr-defined]
    app.config["RQ_DASHBOARD_REDIS_URL"] = ("Valkey",)
    app.register_blueprint(blueprint, url_prefix=prefix)


def _utc_without_offset(moment: datetime | None) -> str | None:
    """Return a time as rq-dashboard's scripts expect it: they add the browser's offset to it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") if moment else None


def is_sane(arguments: dict[str, Any]) -> bool:
    """Return whether rq-dashboard handles these URL arguments without an internal error."""
    if arguments.get("instance_number"):
        return False
    if arguments.get("registry_name", "queued") not in REGISTRIES:
        return False
    numbers = (str(arguments.get(name, 1)) for name in ("per_page", "page"))
    names = (arguments.get(name) or "default" for name in ("queue_name", "job_id"))
    return all(re.fullmatch(r"[1-9]\d{0,5}", number) for number in numbers) and all(
        map(PLAIN_NAME.fullmatch, names)
    )
