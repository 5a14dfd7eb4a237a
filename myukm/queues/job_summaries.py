"""Summaries of jobs for display: the latest jobs, and failed jobs with their error."""

import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from zlib import decompress
from zlib import error as ZlibError  # noqa: N812

from flask_babel import gettext as _
from redis.client import Pipeline
from rq.job import Job
from rq.results import Result

from myukm.db.types import to_iso8601
from myukm.queues.backlogs import moment

SHOWN = 10
MAX_TEXT = 200
FIELDS = ("description", "origin", "status", "enqueued_at", "started_at", "ended_at")
# The line of a traceback that begins with the exception class. It is not always the last line,
# because a message may span several lines.
ERROR_LINE = re.compile(r"^[A-Za-z_][\w.]*(?::.*)?$", re.MULTILINE)

# Notes that PostgreSQL adds to an error; their lines look like that line.
NOTES = ("HINT:", "DETAIL:", "CONTEXT:", "LINE ")
# In RQ's tracebacks of jobs whose process was killed, and of jobs whose worker ended.
KILLED, ABANDONED = "signal 9", "AbandonedJobError"
# How many jobs of each kind come first, because otherwise presence jobs would fill the list.
SHOWN_OF_A_KIND = 3

Fields = dict[str, str]


def job_id(key: bytes) -> str:
    """Return the job id in a registry entry (`job` or `job:execution`)."""
    return key.decode().split(":")[0]


def load_jobs(pipe: Pipeline, ids: Iterable[str]) -> dict[str, Fields]:
    """Return the jobs' fields by id; a deleted job has no fields."""
    ids = list(ids)
    for each in ids:
        pipe.hmget(Job.key_for(each), FIELDS)
    return dict(zip(ids, map(_fields, pipe.execute()), strict=True))


def load_traces(pipe: Pipeline, ids: Iterable[str]) -> dict[str, str]:
    """Return the tracebacks of failed jobs by id."""
    ids = list(ids)
    for each in ids:
        pipe.xrevrange(Result.get_key(each), count=1)
    texts = (trace_text(row[0][1]) if row else "" for row in pipe.execute())
    return dict(zip(ids, texts, strict=True))


def trace_text(fields: Mapping[bytes, bytes]) -> str:
    """Return the traceback in an entry of a job's results; "" if it has none or is damaged."""
    try:
        return decompress(b64decode(fields.get(b"exc_string", b""))).decode(errors="replace")
    except (ValueError, ZlibError):
        return ""


def job_row(key: str, fields: Fields) -> dict[str, Any]:
    """Return a job's summary; `at` is when it ended, else started, else was enqueued."""
    started, ended = moment(fields.get("started_at")), moment(fields.get("ended_at"))
    took = round((ended - started).total_seconds(), 3) if started and ended else None
    return {
        "id": key,
        "job": fields.get("description", "")[:MAX_TEXT],
        "queue": fields.get("origin", ""),
        "status": fields.get("status", ""),
        "seconds": took,
        "at": to_iso8601(ended or started or moment(fields.get("enqueued_at"))),
    }


def failure_row(key: str, fields: Fields, trace: str) -> dict[str, Any]:
    """Return a failed job's summary, without its traceback, which may contain users' data."""
    job = job_row(key, fields)
    return {name: job[name] for name in ("id", "job", "queue", "at")} | {"error": error_line(trace)}


def error_line(trace: str) -> str:
    """Return the exception class and the first line of its message; a text for people if the job
    was killed or abandoned, or has no traceback."""
    if KILLED in trace:
        what = _("dimatikan sistem (sinyal 9), mungkin kehabisan memori")
        return f"{what}: Work-horse terminated unexpectedly"
    if ABANDONED in trace:
        what = _("workernya berhenti di tengah pekerjaan")
        return f"{ABANDONED}: {what}"
    lines = [line for line in ERROR_LINE.findall(trace.strip()) if not line.startswith(NOTES)]
    last = lines[-1] if lines else trace.strip().rpartition("\n")[2]
    return last[:MAX_TEXT] or str(_("tanpa keterangan; lihat log worker"))


def newest(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the latest `SHOWN` rows, newest first."""
    return sorted(rows, key=lambda row: row["at"] or "", reverse=True)[:SHOWN]


def newest_of_each_kind(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return `SHOWN` rows, newest first: the latest few of each kind of job, then others."""
    seen, first, others = Counter[str](), list[dict[str, Any]](), list[dict[str, Any]]()
    for row in sorted(rows, key=lambda row: row["at"] or "", reverse=True):
        kind = row["job"].partition("(")[0]
        (first if seen[kind] < SHOWN_OF_A_KIND else others).append(row)
        seen[kind] += 1
    return newest([*first, *others][:SHOWN])


def _fields(values: Iterable[bytes | None]) -> Fields:
    pairs = zip(FIELDS, values, strict=True)
    return {field: value.decode(errors="replace") for field, value in pairs if value}
