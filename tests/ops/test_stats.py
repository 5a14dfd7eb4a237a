"""Figures of the queues: waiting, running, finished and failed jobs, and how errors are shown."""

import pickle
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from flask import Flask
from rq import Queue
from rq.results import Result

from myukm.ops import stats
from myukm.ops.health_publisher import HealthPublisher
from myukm.queues import counters
from myukm.queues.enqueue import enqueue
from myukm.queues.job_summaries import SHOWN, error_line, newest_of_each_kind
from myukm.queues.restricted_job import RestrictedJob
from tests.queues.test_failures import fail
from tests.support.pickles import Evil
from tests.support.programs import Program
from tests.support.waiting import wait_until
from tests.support.without_valkey import lose_valkey
from tests.support.workers import wait_serving

PRESENCE = "myukm.jobs.presence.broadcast_online_status"


def health(app: Flask) -> dict[str, Any]:
    for name in [key for key in app.extensions if key.startswith("ttl_cache:")]:
        del app.extensions[name]
    with app.app_context():
        return stats.health()


def row(app: Flask, name: str) -> dict[str, Any]:
    return next(each for each in health(app)["queues"] if each["name"] == name)


def test_waiting_jobs_are_counted_with_the_age_of_the_oldest(
    app: Flask, valkey: redis.Redis
) -> None:
    with app.app_context():
        first = enqueue(PRESENCE, 1)
        enqueue(PRESENCE, 2)
    old = (datetime.now(UTC) - timedelta(seconds=90)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    valkey.hset(RestrictedJob.key_for(str(first)), "enqueued_at", old)
    found = row(app, "default")
    assert (found["waiting"], found["workers"], found["running"]) == (2, 0, 0)
    assert 90 <= found["oldest_seconds"] < 95
    assert row(app, "high")["oldest_seconds"] is None


@pytest.mark.parametrize("argv", [("rq", "worker", "default"), ("python", "worker.py", "default")])
def test_jobs_are_counted_where_they_run(
    app: Flask, start: Callable[..., Program], valkey: redis.Redis, argv: tuple[str, ...]
) -> None:
    began = time.monotonic()
    with app.app_context():
        for user_id in range(3):
            enqueue(PRESENCE, user_id)
        enqueue(PRESENCE, "x", "too many arguments")
    assert start(*argv, "--burst").child.wait(60) == 0
    found = row(app, "default")
    assert (found["finished_hour"], found["finished_today"]) == (3, 3)
    assert (found["failed_hour"], found["failed_today"], found["waiting"]) == (1, 1, 0)
    assert found["rate_per_minute"] > 0
    [failure] = health(app)["latest_failures"]
    assert failure["error"].startswith("TypeError: broadcast_online_status() takes 1 positional")
    assert (failure["queue"], failure["at"][-1]) == ("default", "Z")
    assert {job["status"] for job in health(app)["latest_jobs"]} == {"finished", "failed"}
    with app.app_context():
        totals = counters.totals(["default"])["default"]
    most = 4 * 1000 * (time.monotonic() - began)
    for kind in (counters.WAIT, counters.RUN):
        assert sum(counters.histogram(totals, kind)) == 4
        assert 0 < totals[f"{kind}_ms"] < most


def test_the_error_of_a_job_is_cached_until_it_fails_again(app: Flask, valkey: redis.Redis) -> None:
    [job_id] = fail(valkey, "KeyError: 'first'")

    def latest_errors() -> list[str]:
        return [each["error"] for each in health(app)["latest_failures"]]

    assert latest_errors() == ["KeyError: 'first'"]
    before = valkey.info("commandstats")["cmdstat_xrevrange"]["calls"]
    assert latest_errors() == ["KeyError: 'first'"]
    assert valkey.info("commandstats")["cmdstat_xrevrange"]["calls"] == before
    job = RestrictedJob(job_id, connection=valkey)
    Result.create_failure(job, 1000, "Traceback\n  …\nKeyError: 'second'")
    valkey.zincrby("rq:failed:default", 1, job_id)
    assert latest_errors() == ["KeyError: 'second'"]


def test_workers_are_listed_with_their_state(app: Flask, start: Callable[..., Program]) -> None:
    program = start("rq", "worker", "high", "default")
    wait_serving(app, ["high", "default"])
    wait_until(lambda: health(app)["workers"][0]["state"] == "idle", 30, "an idle worker")
    [worker] = health(app)["workers"]
    assert (worker["queues"], worker["job"]) == (["high", "default"], None)
    program.kill()
    wait_serving(app, [])
    assert health(app)["workers"][0]["state"] == "dead"


def test_without_valkey_the_figures_are_empty(app: Flask) -> None:
    lose_valkey(app)
    found = health(app)
    assert (found["valkey"], found["queues"], found["workers"]) == (False, [], [])


def test_counts_of_this_hour_and_of_today_leave_out_older_jobs(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = {
        "now": datetime(2026, 11, 21, 17, 30, 20, tzinfo=UTC),  # 00.30 of the 22nd in Jakarta
        "today": datetime(2026, 11, 21, 17, 2, tzinfo=UTC),
        "hour": datetime(2026, 11, 21, 16, 31, tzinfo=UTC),  # yesterday there
        "earlier": datetime(2026, 11, 21, 16, 30, tzinfo=UTC),
    }
    with app.app_context():
        for moment in moments.values():
            monkeypatch.setattr(counters, "utcnow", lambda moment=moment: moment)
            counters.count("high", "finished")
        with app.extensions["valkey"].pipeline() as pipe:
            counters.queue_reads(pipe, "high", moments["now"])
            found = counters.parse(pipe.execute(), moments["now"])
        assert (found.finished_hour, found.finished_today, found.failed_hour) == (3, 2, 0)
        assert found.rate_per_minute == round(60 / 80, 1)
        assert counters.totals(["high"]) == {"high": {"finished": 4}}


@pytest.mark.parametrize(
    ("trace", "line"),
    [
        (
            "Traceback (most recent call last):\n  File x\n    y = 1\nKeyError: 'a'\n",
            "KeyError: 'a'",
        ),
        (
            "Traceback (most recent call last):\n  …\n"
            "sqlalchemy.exc.DataError: (psycopg.DataError) too long\n"
            "[SQL: INSERT INTO chat_message]\n[parameters: ('what a user wrote',)]\n"
            "(Background on this error at: https://sqlalche.me/e/20/9h9h)",
            "sqlalchemy.exc.DataError: (psycopg.DataError) too long",
        ),
        ("Work-horse terminated unexpectedly; waitpid returned 9", "Work-horse terminated unexp"),
        ("", ""),
    ],
)
def test_an_error_is_shown_without_its_trace(trace: str, line: str) -> None:
    assert error_line(trace).startswith(line)
    assert "user wrote" not in error_line(trace)


def test_a_foreign_jobs_data_is_not_unpickled(app: Flask, valkey: redis.Redis) -> None:
    job = Queue("high", connection=valkey).enqueue(print)
    valkey.hset(job.key, "data", zlib.compress(pickle.dumps(Evil())))
    assert health(app)["queues"][0]["waiting"] == 1


def test_health_is_published_only_when_it_changed(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[Any] = []
    monkeypatch.setattr(
        "myukm.live.pubsub.publish_transient", lambda *event: published.append(event) or True
    )
    publisher = HealthPublisher()

    def shown() -> int:
        for name in [key for key in app.extensions if key.startswith("ttl_cache:")]:
            del app.extensions[name]
        with app.app_context():
            publisher.publish()
        return len(published)

    assert (shown(), shown()) == (1, 1)
    with app.app_context():
        enqueue(PRESENCE, 1)
    assert shown() == 2
    topic, kind, data = published[-1]
    assert (topic, kind) == ("queue", "queue.health")
    assert data["doctor"]["findings"]
    publisher.reset()
    assert shown() == 3, "another process may have published other figures meanwhile"


def test_an_abandoned_job_is_shown_with_our_sentence(app: Flask) -> None:
    trace = "Moved to FailedJobRegistry, due to AbandonedJobError, at 2026-11-29 11:34:18.054+00:00"
    with app.app_context():
        assert error_line(trace) == "AbandonedJobError: workernya berhenti di tengah pekerjaan"


def test_one_kind_of_job_does_not_crowd_out_the_others() -> None:
    rows: list[dict[str, Any]] = [
        {"job": f"presence({n})", "at": f"2026-11-30T08:{n:02}:00Z"} for n in range(10, 40)
    ]
    rows += [{"job": "dispatch(1)", "at": "2026-11-30T07:00:00Z"}, {"job": "ping()", "at": None}]
    shown = newest_of_each_kind(rows)
    assert len(shown) == SHOWN
    assert [row["job"] for row in shown[-2:]] == ["dispatch(1)", "ping()"]
    assert [row["job"] for row in shown[:3]] == ["presence(39)", "presence(38)", "presence(37)"]
