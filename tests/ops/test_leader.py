"""The leader reaches the database and Valkey, or lets another process lead."""

import threading
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import select

import config
from myukm import create_app
from myukm.domain import standstill
from myukm.extensions import db
from myukm.models import LeaderLease
from myukm.ops import backup, periodic
from myukm.ops.periodic import PeriodicRunner
from myukm.ops.retention import every_minute
from tests.support.waiting import wait_until
from tests.support.without_valkey import lose_valkey

MakeRunner = Callable[[Flask, str], PeriodicRunner]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> MakeRunner:
    """`runner(app, "a")` makes the runner of process "a", without tasks and with short times."""
    for name, seconds in (("LEASE", 0.2), ("UNFIT", 0.2), ("ABANDONED", 0.6), ("UNFIT_LEASE", 0.8)):
        monkeypatch.setattr(periodic, f"{name}_SECONDS", seconds)

    def make(app: Flask, name: str) -> PeriodicRunner:
        made = PeriodicRunner(app, [], [])
        made.holder = name
        return made

    return make


@pytest.fixture
def app_without_valkey(settings: dict[str, str], app: Flask) -> Flask:
    """An app with the same database that cannot reach Valkey."""
    return create_app(config.load({**settings, "REDIS_URL": "redis://127.0.0.1:1/0"}))


def lead(*runners: PeriodicRunner) -> list[str]:
    """Let each runner compete for the lease once, and return the names of those that lead."""
    return [one.holder for one in runners if one._do(one._is_leader)]


def test_a_leader_without_valkey_is_replaced_by_a_process_that_has_it(
    app: Flask, app_without_valkey: Flask, runner: MakeRunner
) -> None:
    first, second = runner(app, "first"), runner(app, "second")
    wait_until(lambda: lead(first) == ["first"], 30)
    first.app = app_without_valkey
    wait_until(lambda: lead(first, second) == ["second"], 30)
    assert all("first" not in lead(first, second) for _ in range(20))


def test_a_task_that_fails_unexpectedly_ends_neither_the_thread_nor_the_other_tasks(
    app: Flask, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "TICK_SECONDS", 0.01)
    done: list[str] = []

    def fail() -> None:
        done.append("failed")
        raise AssertionError("unreadable")

    one = PeriodicRunner(app, [fail, lambda: done.append("other")], [])
    one.thread.start()
    wait_until(lambda: done.count("other") > 3, 30, "the other task goes on")
    one.stop()
    one.thread.join(10)
    assert done.count("failed") > 2
    traces = [record for record in caplog.records if record.exc_info]
    assert len(traces) == 1, "one trace, not one per tick"


def test_a_pruner_that_fails_stops_no_other_and_is_not_called_each_second(app: Flask) -> None:
    done: list[str] = []

    def fail() -> bool:
        done.append("failed")
        raise AssertionError("unreadable")

    def prune() -> bool:
        done.append("pruned")
        return done.count("pruned") < 3

    one = PeriodicRunner(app, [], [])
    tasks = [every_minute(fail), every_minute(prune)]
    for _tick in range(5):
        for task in tasks:
            one._do(task)
    assert (done.count("failed"), done.count("pruned")) == (1, 3)


def test_one_process_leads_when_all_are_without_valkey(app: Flask, runner: MakeRunner) -> None:
    lose_valkey(app)
    first, second = runner(app, "first"), runner(app, "second")
    wait_until(lambda: lead(first, second), 30)
    stop, leaders = threading.Event(), list[int]()
    threading.Timer(2.5, stop.set).start()
    while not stop.wait(0.02):
        leaders.append(len(lead(first, second)))
    assert max(leaders) == 1
    assert sum(leaders) > len(leaders) / 3
    with app.app_context():
        assert db.session.scalar(select(LeaderLease.holder)) in ("first", "second")


def test_a_restore_waits_for_longer_than_an_unfit_leader_sends_no_heartbeat(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    for module in (periodic, standstill):
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(periodic, "_is_fit", lambda: False)
    one, heartbeats = PeriodicRunner(app, [], []), list[float]()
    for _poll in range(100):
        now[0] += 1.5  # a second, and tasks that wait for Valkey
        if lead(one):
            heartbeats.append(now[0])
    pauses = [after - before for before, after in pairwise(heartbeats)]
    assert 1.5 < max(pauses) < backup.ALIVE_SECONDS
