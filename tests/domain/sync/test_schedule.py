"""SYNC_SCHEDULE starts one run at each of its times, with several processes and after downtime."""

import multiprocessing
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from myukm.db.session import transaction
from myukm.domain.sync import commands, run_log, schedule
from myukm.extensions import db
from myukm.models import Siswa, SyncRun, SyncSchedule
from tests.conftest import every_database
from tests.ops.test_doctor import examine
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until

NIGHTLY = "30 1 * * *"
# The schedule is set before 01.30 in Jakarta, and due then.
SET_AT = datetime(2026, 11, 24, 5, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
DAY = timedelta(days=1)
FORK = multiprocessing.get_context("fork")


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    return settings | {"SYNC_SCHEDULE": NIGHTLY}


@pytest.fixture
def campus(app: Flask) -> Any:
    """Three students, inside an app context, and the schedule that was just set."""
    with app.app_context():
        sync.create_students(3)
        assert schedule.handle(SET_AT) == schedule.NEW
        yield app


def runs() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(SyncRun)) or 0


def test_a_new_schedule_starts_nothing_for_times_before_it(campus: Flask) -> None:
    assert schedule.handle(SET_AT + timedelta(hours=13)) is None
    assert runs() == 0


def test_a_time_starts_one_run_in_the_name_of_the_schedule(campus: Flask) -> None:
    assert schedule.handle(DUE) == schedule.STARTED
    assert schedule.handle(DUE + timedelta(hours=1)) is None
    run = db.session.scalars(select(SyncRun)).one()
    assert (run.started_by, run.started_by_id) == ("SYNC_SCHEDULE", None)


def test_a_live_run_is_not_disturbed(campus: Flask) -> None:
    run_id = commands.start(TREASURER)["run_id"]
    assert schedule.handle(DUE) == schedule.BUSY
    assert runs() == 1
    assert "schedule_busy" in {line["code"] for line in run_log.latest(run_id)}


@pytest.mark.parametrize(("late", "outcome"), [(6, "started"), (6.01, "missed")])
def test_a_missed_time_is_made_up_once_or_reported(
    campus: Flask, late: float, outcome: str
) -> None:
    now = DUE + 3 * DAY + timedelta(hours=late)  # the program was down for days
    assert schedule.handle(now) == outcome
    assert schedule.handle(now) is None
    assert runs() == (outcome == "started")
    assert ("schedule_missed" in str(examine(campus))) == (outcome == "missed")


def test_a_time_without_students_is_reported_with_its_own_cure(campus: Flask) -> None:
    with transaction() as session:
        session.execute(update(Siswa).values(active=False))
    assert schedule.handle(DUE) == schedule.NO_STUDENTS
    found = next(f for f in examine(campus)["findings"] if f["code"] == "schedule_missed")
    assert "belum ada siswa" in found["message"]
    assert "Impor siswa" in found["cure"]


def test_starting_a_run_over_all_students_clears_a_missed_time(campus: Flask) -> None:
    schedule.handle(DUE + timedelta(hours=7))
    assert schedule.missed() == schedule.Missed(DUE, had_students=True)
    commands.start(TREASURER, dry_run=True)
    assert schedule.missed() == schedule.Missed(DUE, had_students=True)
    commands.cancel(TREASURER)
    commands.start(TREASURER)
    assert schedule.missed() is None


def test_a_clock_that_jumps_back_starts_no_second_run(campus: Flask) -> None:
    schedule.handle(DUE + DAY)
    commands.cancel(TREASURER)
    assert schedule.handle(DUE) is None
    assert schedule.handle(DUE + DAY + timedelta(minutes=1)) is None
    assert runs() == 1


@every_database
def test_processes_that_are_killed_start_one_run_for_each_time(campus: Flask) -> None:
    """Three processes with different clocks handle the same times and are killed repeatedly."""
    rng, reached = random.Random(7), 0
    counter = FORK.Value("i", 0)
    db.engine.dispose()
    handlers = [start_handler(campus, counter, seed) for seed in range(3)]
    try:
        while reached < 100:
            victim = rng.randrange(3)
            handlers[victim].kill()
            handlers[victim].join()
            handlers[victim] = start_handler(campus, counter, reached)
            reached = advance(counter, reached)
    finally:
        for handler in handlers:
            handler.kill()
            handler.join()
    last = db.session.scalars(select(SyncSchedule.handled)).one()
    assert runs() == (last - DUE) / DAY + 1


def advance(counter: Any, reached: int) -> int:
    """Wait until five more times were handled, and return how many were."""
    wait_until(lambda: counter.value >= reached + 5, 30, "more times are handled")
    return int(counter.value)


def start_handler(app: Flask, counter: Any, seed: int) -> Any:
    """Handle one time after the other in another process, on a clock up to a minute ahead."""

    def handle_all() -> None:
        ahead = timedelta(seconds=random.Random(seed).randrange(60))
        with app.app_context():
            db.engine.dispose(close=False)
            for number in range(10_000):
                end_and_handle(DUE + number * DAY + ahead)
                counter.value = max(counter.value, number)

    process = FORK.Process(target=handle_all, daemon=True)
    process.start()
    return process


def end_and_handle(now: datetime) -> None:
    """End the live run, if any, and handle a time, so that each time starts a run."""
    with transaction() as session:
        session.execute(select(SyncSchedule).with_for_update())
        session.execute(update(SyncRun).values(live=None, status="completed"))
        schedule.handle(now)
