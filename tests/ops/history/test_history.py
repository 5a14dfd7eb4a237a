"""The history of the queues: samples are written, joined to longer steps, deleted and read."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import func, select

from myukm.db import clock
from myukm.db.session import transaction
from myukm.extensions import db
from myukm.models import QueueSample, SyncRun
from myukm.ops import process_registry
from myukm.ops.history import samples, series
from myukm.ops.history.points import Point, growth, joined
from myukm.ops.history.sampler import Sampler
from myukm.queues import counters
from myukm.queues.counters import Times
from myukm.queues.enqueue import enqueue
from myukm.queues.jobs import QUEUES
from tests.conftest import every_database
from tests.support.programs import Program, WebServer
from tests.support.waiting import wait_until
from tests.support.without_valkey import lose_valkey
from tests.support.workers import WORKER

PING = "myukm.jobs.upkeep.ping"
NOON = datetime(2026, 11, 30, 12, 0, 3, tzinfo=UTC)


class At:
    """Sets the clock of the database, as the program sees it, and empties the caches."""

    def __init__(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        self.app, self._patch = app, monkeypatch

    def __call__(self, moment: datetime) -> None:
        self._patch.setattr(clock._clock, "offset", moment.timestamp() - time.monotonic())
        for name in [key for key in self.app.extensions if key.startswith("ttl_cache:")]:
            del self.app.extensions[name]


@pytest.fixture
def at(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[At]:
    """`at(moment)` sets the clock. The test runs in an app context."""
    monkeypatch.setattr(clock, "measure", lambda *_: None)
    with app.app_context():
        yield At(app, monkeypatch)


def rows(step: int = samples.SHORT) -> list[samples.Sample]:
    db.session.commit()
    return samples.read(db.session(), step, NOON - timedelta(days=9), NOON + timedelta(days=99))


def end_jobs(count: int, seconds: float = 0.02, outcome: str = "finished") -> None:
    for _ in range(count):
        counters.count("high", outcome, Times(seconds, seconds))


@every_database
def test_a_sample_has_what_waits_and_what_ended_since_the_last(at: At) -> None:
    at(NOON)
    end_jobs(5)
    Sampler().run()
    enqueue(PING, to="high")
    end_jobs(3)
    end_jobs(1, 2.0, "failed")
    process_registry.count_start("web")
    at(NOON + timedelta(seconds=10))
    Sampler().run()
    first, second = rows()
    assert (first.queues["high"].finished, second.seconds) == (0, 10), (
        "jobs before the first sample are unknown"
    )
    assert second.at == datetime(2026, 11, 30, 12, 0, 10, tzinfo=UTC)
    high = second.queues["high"]
    assert (high.waiting, high.finished, high.failed, high.workers) == (1, 3, 1, 0)
    assert high.wait == [0, 3, 0, 0, 0, 0, 0, 1]
    assert second.starts == {"web": 1}
    assert set(second.queues) == set(QUEUES)


def test_another_leader_continues_and_nobody_samples_twice(at: At) -> None:
    at(NOON)
    Sampler().run()
    end_jobs(2)
    at(NOON + timedelta(seconds=10))
    for _ in range(3):
        Sampler().run()
    at(NOON + timedelta(seconds=20))
    end_jobs(1)
    Sampler().run()
    assert [row.queues["high"].finished for row in rows()] == [0, 2, 1]


def test_after_a_gap_no_job_is_missing_and_no_rate_is_wrong(at: At) -> None:
    at(NOON)
    Sampler().run()
    end_jobs(120)
    later = NOON + timedelta(minutes=40)
    at(later)
    Sampler().run()
    found = series.of_range("hour")
    assert found["at"] == ["2026-11-30T12:00:00Z", "2026-11-30T12:40:00Z"]
    high = found["queues"]["high"]
    assert (high["finished"], high["finished_per_minute"]) == ([0, 120], [0, 3.0])


def test_counters_that_valkey_lost_begin_again_at_zero() -> None:
    assert growth({"finished": 90, "wait:1": 90}, {"finished": 2, "wait:1": 2}) == {
        "finished": 2,
        "wait:1": 2,
    }
    assert growth({"finished": 90}, {"finished": 91, "failed": 1}) == {"finished": 1, "failed": 1}
    assert growth({"finished": 90}, {}) == {}


@every_database
def test_longer_steps_are_written_once_their_span_has_ended(at: At) -> None:
    for second in range(0, 3610, 10):
        if 1000 < second < 1400:
            continue  # as without a leader: minute 20 has no sample
        at(NOON + timedelta(seconds=second))
        end_jobs(1, 0.3)
        Sampler().run()
    fives, hours = rows(samples.MIDDLE), rows(samples.LONG)
    assert [row.at.minute for row in fives] == [0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 0]
    assert [row.at.hour for row in hours] == [12, 13]
    assert sum(row.queues["high"].finished for row in rows()) == hours[1].queues["high"].finished
    assert fives[1].queues["high"].finished == 30
    assert hours[1].seconds == 3600
    assert 0.25 < (hours[1].queues["high"].quantile("wait", 0.5) or 0) <= 0.5


def test_a_longer_span_keeps_the_peaks_and_counts_all_jobs() -> None:
    calm = Point(waiting=0, workers=3, finished=4, wait=[4])
    busy = Point(waiting=90, oldest_ms=8000, running=3, workers=0, failed=1, wait=[0, 0, 1])
    assert joined([calm, busy]) == Point(
        waiting=90, oldest_ms=8000, running=3, finished=4, failed=1, wait=[4, 0, 1]
    )


@every_database
def test_old_samples_are_deleted_in_portions(at: At, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "PORTION", 1)
    with transaction() as session:
        for step in samples.KEPT:
            for days in (0, 2, 91):
                moment = NOON - timedelta(days=days, seconds=3)
                session.add(QueueSample(step=step, at=moment, seconds=step, queues={}, starts={}))
    at(NOON)
    assert [samples.prune() for _ in range(3)] == [True, True, False]
    found = db.session.execute(
        select(QueueSample.step, func.count()).group_by(QueueSample.step).order_by(QueueSample.step)
    )
    assert [tuple(row) for row in found] == [(10, 1), (300, 2), (3600, 2)]


@pytest.mark.parametrize(("name", "step"), [("day", 300), ("month", 7200), ("quarter", 21600)])
def test_each_range_has_few_points(at: At, name: str, step: int) -> None:
    with transaction() as session:
        for source in (samples.MIDDLE, samples.LONG):
            for number in range(200):
                moment = NOON.replace(second=0) - timedelta(seconds=source * number)
                queues = {"high": {"waiting": number, "finished": 1, "wait": [0, 1]}}
                session.add(
                    QueueSample(
                        step=source, at=moment, seconds=source, queues=queues, starts={"web": 1}
                    )
                )
    at(NOON)
    found = series.of_range(name)
    assert found["step"] == step
    assert len(found["at"]) == -(-200 * (3600 if step > 300 else 300) // step)
    high = found["queues"]["high"]
    assert {len(column) for column in high.values()} == {len(found["at"])}
    assert sum(high["finished"]) == 200
    assert high["wait_p95"][-1] == pytest.approx(0.024, abs=0.001)
    assert found["queues"]["default"]["wait_p95"][-1] is None


def test_runs_are_marked(at: At) -> None:
    with transaction() as session:
        for hours, live in ((3, None), (1, None), (0, 1)):
            begun = NOON - timedelta(hours=hours, minutes=5)
            ended = None if live else begun + timedelta(minutes=10)
            session.add(SyncRun(status="running", live=live, started_at=begun, finished_at=ended))
    at(NOON)
    assert [run["run_id"] for run in series.of_range("hour")["runs"]] == [2, 3]
    assert series.of_range("hour")["runs"][1]["finished_at"] is None


def test_fifty_requests_cost_one_query_of_the_history(
    app: Flask, client_as: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        Sampler().run()
    asked: list[str] = []
    real = series.of_range
    monkeypatch.setattr(series, "of_range", lambda name: asked.append(name) or real(name))
    operator = client_as("operator")
    answers = {operator.get("/admin/antrian/history?range=hour").data for _ in range(50)}
    assert (len(answers), asked) == (1, ["hour"])
    assert len(json.loads(answers.pop())["at"]) == 1


def test_without_valkey_there_is_a_gap(at: At, app: Flask) -> None:
    at(NOON)
    lose_valkey(app)
    Sampler().run()
    assert rows() == []


def test_one_of_all_processes_samples(
    app: Flask, start: Callable[..., Program], web: WebServer, valkey: redis.Redis
) -> None:
    start(*WORKER)
    with app.app_context():

        def sampled() -> list[samples.Sample]:
            db.session.commit()
            long_ago = datetime.now(UTC) - timedelta(hours=1)
            return samples.read(db.session(), samples.SHORT, long_ago, datetime.now(UTC))

        def both_are_seen() -> bool:
            found = sampled()
            return len(found) > 1 and found[-1].queues["high"].workers == 1

        wait_until(both_are_seen, 60, "two samples, the last with a worker")
        for before, after in pairwise(sampled()):
            assert after.seconds == (after.at - before.at).total_seconds(), (
                "each second is in one sample"
            )
        assert process_registry.start_totals().keys() == {"web", "worker", *QUEUES}
