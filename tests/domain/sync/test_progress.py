"""The progress object: counts, rate, ETA, and the reason of a standstill."""

import re
import threading
from datetime import timedelta
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import select, update

import config
from devtools.simulator.client import Simulator
from myukm import create_app
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.payment_api import fetcher, shared_state
from myukm.domain.sync import (
    commands,
    dispatching,
    lane_job,
    progress,
    run_log,
    throughput,
    watchdog,
)
from myukm.extensions import db
from myukm.models import SyncRun, SyncSample
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until


@pytest.fixture
def run(app: Flask) -> Any:
    """The id of a run over 100 students, just dispatched, inside an app context."""
    with app.app_context():
        sync.create_students(100)
        run_id = commands.start(TREASURER)["run_id"]
        dispatching.dispatch(run_id)
        yield run_id


def set_run(**values: Any) -> dict[str, Any]:
    with transaction() as session:
        session.execute(update(SyncRun).values(**values))
    return progress.current()


@pytest.mark.parametrize(
    ("done", "total", "shown"),
    [(0, 0, 0.0), (0, 3, 0.0), (1, 3, 33.33), (2, 3, 66.66), (3, 3, 100.0), (6101, 6102, 99.98)],
)
def test_percent_is_rounded_down(done: int, total: int, shown: float) -> None:
    assert progress.percent(done, total) == shown


def test_the_counts_add_up(run: int) -> None:
    now = set_run(success=40, unchanged=30, failed=3, cancelled=7)
    assert sync.adds_up(now)
    assert (now["pending"], now["processed"], now["percent"]) == (50, 43, 50.0)


def test_the_rate_is_that_of_the_last_seconds(run: int) -> None:
    now = utcnow()
    with transaction() as session:
        for age, processed in ((30, 0), (4, 10), (3, 20), (2, 30), (1, 40)):
            at = now - timedelta(seconds=age)
            session.add(SyncSample(run_id=run, at=at, processed=processed, failed=0))
    found = set_run(success=50)
    assert found["rate_per_second"] == pytest.approx(10, abs=0.5)
    assert found["eta_seconds"] == pytest.approx(5, abs=1)


def test_gaps_without_work_do_not_count_for_the_rate(run: int) -> None:
    now = utcnow()
    points = [throughput.Point(now - timedelta(seconds=age), 0) for age in (0, 1, 2, 7, 8)]
    assert throughput.since_last_gap(points) == points[:3]


@pytest.mark.parametrize(
    ("steps", "least", "most"),
    [([10] * 8, 30, 30), ([5, 15] * 4, 22, 46), ([0, 20] * 4, 17, 105), ([10, 10], 45, 45)],
    ids=["steady", "uneven", "wild", "too few"],
)
def test_the_eta_has_bounds(run: int, steps: list[int], least: int, most: int) -> None:
    now, done = utcnow(), 0
    with transaction() as session:
        for age, step in zip(range(len(steps) - 1, -1, -1), steps, strict=True):
            done += step
            at = now - timedelta(seconds=age, milliseconds=500)
            session.add(SyncSample(run_id=run, at=at, processed=done, failed=0))
        session.execute(update(SyncRun).values(success=done, total=done + 300))
    db.session.rollback()
    found = progress.current()
    low, high = found["eta_range_seconds"]
    assert low <= found["eta_seconds"] <= high
    assert low == pytest.approx(least, rel=0.2)
    assert high == pytest.approx(most, rel=0.35)


def test_there_is_no_rate_before_the_first_samples_and_while_paused(run: int) -> None:
    assert progress.current()["rate_per_second"] is None
    with transaction() as session:
        at = utcnow() - timedelta(seconds=5)
        session.add(SyncSample(run_id=run, at=at, processed=0, failed=0))
    commands.pause(TREASURER)
    paused = progress.current()
    assert (paused["rate_per_second"], paused["eta_seconds"]) == (None, None)


def test_a_run_without_workers_is_stalled_after_five_seconds(run: int) -> None:
    assert not progress.current()["stalled"]
    stalled = set_run(last_progress_at=utcnow() - timedelta(seconds=6))
    assert stalled["stalled"]
    assert stalled["reason_code"] == "no_worker"
    assert "sync-pembayaran" in stalled["reason"]


def test_retry_after_and_an_outage_are_shown_as_the_reason(run: int, valkey: redis.Redis) -> None:
    set_run(last_progress_at=utcnow() - timedelta(seconds=6))
    valkey.set(shared_state.WAIT, 1, px=60_000)
    assert progress.current()["reason_code"] == "api_wait"
    valkey.set(shared_state.DOWN, 1)
    assert progress.current()["reason_code"] == "api_down"
    assert "tidak menjawab" in progress.current()["reason"]
    valkey.set(shared_state.DOWN, "errors 7/7")
    assert "menjawab galat untuk 7 dari 7 siswa" in progress.current()["reason"]


def logged(run: int) -> list[str]:
    return [line["code"] for line in run_log.latest(run)][2:]


def test_the_log_has_the_start_and_end_of_a_standstill(run: int, valkey: redis.Redis) -> None:
    set_run(last_progress_at=utcnow() - timedelta(seconds=2))
    watchdog.watch()
    assert logged(run) == [], "two seconds may be a short pause"
    valkey.set(shared_state.DOWN, "silence", px=60_000)
    for _second in range(2):
        watchdog.watch()
    assert logged(run) == ["api_down"]
    watchdog._standstills.cache_clear()  # another leader takes over
    watchdog.watch()
    valkey.delete(shared_state.DOWN)
    set_run(last_progress_at=utcnow())
    for _second in range(2):
        watchdog.watch()
    assert logged(run) == ["api_down", "moving"]
    set_run(last_progress_at=utcnow() - timedelta(seconds=6))
    watchdog.watch()
    assert logged(run)[2:] == ["no_worker"]


def test_repeated_retry_after_does_not_fill_the_log(run: int, valkey: redis.Redis) -> None:
    for _time in range(3):
        set_run(last_progress_at=utcnow() - timedelta(seconds=2))
        valkey.set(shared_state.WAIT, 1, px=3000)
        watchdog.watch()
        valkey.delete(shared_state.WAIT)
        set_run(last_progress_at=utcnow())
        watchdog.watch()
    assert logged(run) == ["api_wait", "moving"]


def test_an_ended_run_is_not_stalled(run: int) -> None:
    commands.cancel(TREASURER)
    ended = set_run(last_progress_at=utcnow() - timedelta(minutes=5))
    assert not ended["stalled"]
    assert ended["reason"] is None


def test_progress_is_published_at_most_ten_times_a_second(
    run: int, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert progress.TICK_MS == 100
    monkeypatch.setattr(progress, "TICK_MS", 60_000)  # 20 calls may take longer than 100 ms
    pubsub = valkey.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("myukm:live")
    pubsub.get_message(timeout=1)
    published = [progress.publish_throttled() for _ in range(20)]
    assert published == [True] + 19 * [False]
    progress.publish()
    received = 0
    while pubsub.get_message(timeout=0.3):
        received += 1
    assert received == 2
    pubsub.close()


def test_progress_is_mirrored_for_outside_scripts(run: int, valkey: redis.Redis) -> None:
    set_run(success=40, failed=3)
    progress.publish()
    names = ("total", "processed", "failed", "status")
    mirrored = [valkey.get(f"sync_pembayaran_{name}") for name in names]
    assert mirrored == [b"100", b"43", b"3", b"running"]
    commands.cancel(TREASURER)
    commands.reset(TREASURER)
    assert not valkey.keys("sync_pembayaran_*")
    db.session.rollback()


def test_every_process_shows_the_reason_that_the_leader_stored(
    run: int, settings: dict[str, str], valkey: redis.Redis
) -> None:
    """By itself, a process that cannot reach Valkey would give that as the reason."""
    without_valkey = create_app(config.load({**settings, "REDIS_URL": "redis://127.0.0.1:1/0"}))
    set_run(last_progress_at=utcnow() - timedelta(seconds=6))
    valkey.set(shared_state.DOWN, 1, px=60_000)
    watchdog.watch()
    db.session.rollback()
    seen = [progress.current(), sync.progress_of(without_valkey)]
    assert [now["reason_code"] for now in seen] == ["api_down"] * 2
    assert seen[0]["reason"] == seen[1]["reason"]
    valkey.delete(shared_state.DOWN)
    set_run(last_progress_at=utcnow())
    assert progress.current()["reason_code"] is None
    watchdog.watch()
    db.session.rollback()
    assert db.session.scalar(select(SyncRun.reason_code)) is None


def test_a_paused_run_loses_the_reason_of_its_standstill(run: int) -> None:
    set_run(reason="menunggu", reason_code="api_down")
    assert commands.pause(TREASURER)["reason_code"] is None


def test_slow_requests_in_flight_are_shown_as_the_reason(
    app: Flask, run: int, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "SLOW_SECONDS", 0.5)
    simulator.set(latency_ms=4000)
    app.config |= {"PEMBAYARAN_API_URL": simulator.url, "PEMBAYARAN_API_CONCURRENCY": 100}

    def work() -> None:
        with app.app_context():
            lane_job.run_lane(run)

    lane = threading.Thread(target=work)
    lane.start()
    wait_until(lambda: sync.progress_of(app)["reason_code"] == "api_slow", 30)
    assert re.search(r"\(100 permintaan, \d+ detik\)", sync.progress_of(app)["reason"] or "()")
    lane.join()
    assert sync.progress_of(app)["status"] == "completed"
