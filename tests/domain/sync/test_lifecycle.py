"""Transitions of a run: which ones are allowed, also on the page, and their effects."""

import asyncio
import re
import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import func, select, update

from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.domain import activity
from myukm.domain.sync import (
    commands,
    dispatching,
    lifecycle,
    progress,
    queueing,
    single_student,
    transitions,
)
from myukm.domain.sync.lane import Lane
from myukm.extensions import db
from myukm.models import SyncItem, SyncRun
from myukm.models.sync import LIVE, ItemStatus, Status
from tests.support import sync
from tests.support.sync import TREASURER

PAGE = Path(__file__).parents[3] / "myukm/static/js/sync/state.js"


@pytest.fixture
def run(app: Flask) -> Any:
    """The id of a run over ten students whose first lane is queued, inside an app context."""
    with app.app_context():
        sync.create_students(10)
        run_id = commands.start(TREASURER)["run_id"]
        queueing.remove_queued(run_id)  # as if a worker dequeued the dispatch
        dispatching.dispatch(run_id)
        yield run_id


def test_only_the_listed_transitions_are_allowed(run: int) -> None:
    for before, to in product(Status, Status):
        with transaction() as session:
            session.execute(update(SyncRun).values(status=before, live=1))
            allowed = to in SyncRun.TRANSITIONS.get(before, ())
            assert transitions.move(session, run, to) == allowed, (before, to)
            session.rollback()


def test_every_status_is_reachable_and_only_ended_runs_have_no_transitions() -> None:
    reached = {Status.QUEUED}.union(*SyncRun.TRANSITIONS.values())
    assert reached == set(Status)
    assert set(SyncRun.TRANSITIONS) == LIVE


def test_the_page_offers_the_actions_that_the_transitions_allow() -> None:
    text = PAGE.read_text()
    ended = names(re.search(r"ENDED = (\[.*?\]);", text, re.DOTALL))
    assert ended == {"idle", *set(Status) - LIVE}
    allowed = {
        action: names(re.search(rf'"?{action}"?: (\[.*?\]),', text, re.DOTALL))
        for action in ("pause", "resume", "accept", "cancel")
    }
    assert allowed == {
        "pause": set(transitions.sources_of(Status.PAUSED)),
        "resume": set(transitions.sources_of(Status.QUEUED)),
        "accept": set(transitions.sources_of(Status.QUEUED)),
        "cancel": set(transitions.sources_of(Status.CANCELLING)),
    }


def names(found: re.Match[str] | None) -> set[str]:
    assert found
    return set(re.findall(r'"(\w+)"', found[1]))


def test_a_transition_removes_queued_jobs_mirrors_the_status_and_is_recorded(
    run: int, valkey: redis.Redis
) -> None:
    assert len(queueing.queued_ids(run)) == 1
    commands.pause(TREASURER)
    assert queueing.queued_ids(run) == []
    assert valkey.get("sync_pembayaran_status") == b"paused"
    commands.resume(TREASURER)
    assert len(queueing.queued_ids(run)) == 1
    actions = [(action.verb, action.actor_name) for action in activity.of_run(run)]
    assert actions == [(code, TREASURER.name) for code in ("started", "paused", "resumed")]


def test_a_rolled_back_transition_has_no_effects(run: int, valkey: redis.Redis) -> None:
    with transaction() as session:
        assert transitions.move(session, run, Status.PAUSED, "paused")
        session.rollback()
    assert len(queueing.queued_ids(run)) == 1
    assert valkey.get("sync_pembayaran_status") == b"running"


def test_drive_takes_the_due_step_and_queues_one_job_only(run: int, valkey: redis.Redis) -> None:
    lifecycle.drive(run)
    lifecycle.drive(run)
    assert len(queueing.queued_ids(run)) == 1
    with transaction() as session:
        session.execute(update(SyncItem).values(status=ItemStatus.SUCCESS))
        session.execute(update(SyncRun).values(success=10))
    lifecycle.drive(run)
    assert progress.current()["status"] == "completed"
    assert queueing.queued_ids(run) == []
    assert db.session.scalar(select(func.count()).where(SyncRun.live.is_not(None))) == 0


def test_a_run_whose_students_are_all_claimed_needs_no_job(run: int, valkey: redis.Redis) -> None:
    queueing.remove_queued(run)
    with transaction() as session:
        session.execute(update(SyncItem).values(status=ItemStatus.CLAIMED))
    lifecycle.drive(run)
    assert queueing.queued_ids(run) == []


@pytest.fixture
def silent_api(app: Flask) -> Iterator[dict[str, Any]]:
    """The settings of the app with an API that answers only after a minute."""
    with Simulator(students=10, latency_ms="60000") as api:
        app.config |= {"PEMBAYARAN_API_URL": api.url, "PEMBAYARAN_API_TIMEOUT": 30.0}
        yield app.config


def test_a_lane_ends_before_its_jobs_timeout_during_a_slow_request(
    app: Flask, run: int, silent_api: dict[str, Any], valkey: redis.Redis
) -> None:
    silent_api["SYNC_JOB_TIMEOUT"] = 4
    began = time.monotonic()
    asyncio.run(Lane(app, run).work())
    assert time.monotonic() - began < 20, "the lane did not wait for the answer"
    assert sync.items(run) == {"pending": 10}


def test_a_students_job_ends_before_its_timeout(
    run: int, silent_api: dict[str, Any], valkey: redis.Redis
) -> None:
    silent_api["SYNC_JOB_TIMEOUT"] = 3
    began = time.monotonic()
    assert single_student.sync("100001", requested=False) == "failed"
    assert time.monotonic() - began < 20, "the job did not wait for the answer"
