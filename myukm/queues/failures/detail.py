"""One job with its arguments and runs, read from its hash, because RQ may fail to load the job."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from flask_babel import gettext as _
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.results import Result

from myukm.errors import NotFound
from myukm.extensions import valkey
from myukm.queues.backlogs import moment
from myukm.queues.job_summaries import trace_text
from myukm.queues.restricted_job import PrimitivePickle, RestrictedJob

MAX_RUNS, MAX_ARGUMENTS = 20, 2000
OUTCOMES = {
    str(Result.Type.SUCCESSFUL.value): "finished",
    str(Result.Type.FAILED.value): "failed",
    str(Result.Type.STOPPED.value): "stopped",
    str(Result.Type.RETRIED.value): "queued",
}


@dataclass(frozen=True)
class Run:
    """One run of a job: when it ended, how (a state of RQ's), on which worker, and its trace."""

    at: datetime
    outcome: str
    worker: str
    trace: str


@dataclass(frozen=True)
class JobDetail:
    """A job as the page shows it; `arguments` is None if they cannot be read."""

    id: str
    queue: str
    call: str
    status: str
    function: str
    arguments: str | None
    enqueued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    runs: tuple[Run, ...]


def read(job_id: str) -> JobDetail:
    """Return a job; raises `NotFound` if there is none, and RedisError."""
    try:
        key = RestrictedJob(job_id, connection=valkey()).key
    except NoSuchJobError:
        raise NotFound(_("Tidak ada pekerjaan %(id)s.", id=job_id)) from None
    raw = cast(dict[bytes, bytes], valkey().hgetall(key))
    if not raw:
        raise NotFound(_("Tidak ada pekerjaan %(id)s.", id=job_id))
    results = Result.get_key(Job.key_for(job_id).removeprefix(Job.redis_job_namespace_prefix))
    rows = cast(list[tuple[bytes, Any]], valkey().xrevrange(results, count=MAX_RUNS))
    function, arguments = _call(raw.get(b"data", b""))
    return JobDetail(
        id=job_id,
        queue=_text(raw, b"origin"),
        call=_text(raw, b"description"),
        status=_text(raw, b"status"),
        function=function,
        arguments=arguments,
        enqueued_at=moment(raw.get(b"enqueued_at")),
        started_at=moment(raw.get(b"started_at")),
        ended_at=moment(raw.get(b"ended_at")),
        runs=tuple(_run(entry, fields) for entry, fields in rows),
    )


def _run(entry: bytes, fields: Mapping[bytes, bytes]) -> Run:
    at = datetime.fromtimestamp(int(entry.split(b"-")[0]) / 1000, UTC)
    outcome = OUTCOMES.get(_text(fields, b"type"), "failed")
    return Run(at, outcome, _text(fields, b"worker_name"), trace_text(fields))


def _call(data: bytes) -> tuple[str, str | None]:
    """Return the function and the arguments in a job's data, without running anything in it."""
    try:
        function, _instance, args, kwargs = PrimitivePickle.loads(zlib.decompress(data))
        words = [*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())]
    except Exception:  # noqa: BLE001 (whatever another program stored there)
        return "", None
    return str(function), ", ".join(words)[:MAX_ARGUMENTS]


def _text(fields: Mapping[bytes, bytes], name: bytes) -> str:
    return fields.get(name, b"").decode(errors="replace")
