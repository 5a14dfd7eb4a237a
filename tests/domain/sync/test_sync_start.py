"""Starting a run: one at a time, over the right students, and what is refused."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import func, insert, select, text, update

from myukm.db.session import transaction
from myukm.domain.sync import commands, dispatching, lifecycle, progress
from myukm.errors import Conflict, DomainError, Invalid, NotFound, Unavailable
from myukm.extensions import db
from myukm.models import Activity, Siswa, SyncItem, SyncRun
from myukm.models.sync import Status
from tests.conftest import every_database
from tests.support import sync
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until


@pytest.fixture
def campus(app: Flask) -> Any:
    """Ten students, inside an app context."""
    with app.app_context():
        sync.create_students(10)
        yield app


def end(run_id: int) -> None:
    """End the run."""
    commands.cancel(TREASURER)
    assert progress.find(run_id).status == Status.CANCELLED


@every_database
def test_only_one_of_several_concurrent_starts_is_accepted(campus: Flask) -> None:
    for _ in range(20):
        results = at_once(campus, 4, lambda: commands.start(TREASURER))
        accepted = [result for result in results if isinstance(result, dict)]
        refused = [result for result in results if not isinstance(result, dict)]
        assert len(accepted) == 1
        assert {error.code for error in refused} == {"sync_already_running"}
        db.session.rollback()
        end(accepted[0]["run_id"])
    assert db.session.scalar(select(func.count()).select_from(SyncRun)) == 20


@pytest.mark.parametrize("database_url", ["mariadb"], indirect=True)
def test_a_deadlock_of_waiting_starts_is_retried(campus: Flask) -> None:
    """When the first insert rolls back, MariaDB gives both others a shared lock: a deadlock."""
    with db.engine.connect() as first, ThreadPoolExecutor(1) as pool:
        first.execute(insert(SyncRun).values(live=1))
        starts = pool.submit(at_once, campus, 2, lambda: commands.start(TREASURER))
        wait_until(lambda: waiting_inserts() == 2, 30, "both wait for the key")
        first.rollback()
        results = starts.result()
    refused = [result.code for result in results if isinstance(result, DomainError)]
    assert (len(results), refused) == (2, ["sync_already_running"])


def waiting_inserts() -> int:
    """Return how many sessions execute an INSERT into a sync table."""
    query = (
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'INSERT INTO sync_%'"
    )
    count = int(db.session.scalar(text(query)) or 0)
    db.session.rollback()
    return count


def at_once(app: Flask, count: int, call: Callable[[], Any]) -> list[Any]:
    """Call from several threads at the same moment; return results and domain errors."""
    results: list[Any] = []
    barrier = threading.Barrier(count, timeout=30)

    def one() -> None:
        with app.app_context():
            barrier.wait()
            try:
                results.append(call())
            except DomainError as error:
                results.append(error)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_an_accepted_run_is_queued_and_its_progress_has_all_keys(campus: Flask) -> None:
    accepted = commands.start(TREASURER)
    assert set(accepted) >= set(progress.idle())
    assert (accepted["status"], accepted["total"], accepted["percent"]) == ("queued", 0, 0.0)
    assert accepted["started_by"] == "Budi Santoso"
    assert accepted["started_at"].endswith("Z")
    assert db.session.scalars(select(Activity.action)).all() == ["sync.started"]


@every_database
def test_dispatch_writes_one_item_per_active_student_and_fixes_the_total(campus: Flask) -> None:
    with transaction() as session:
        session.execute(update(Siswa).where(Siswa.idperson == "100001").values(active=False))
    run_id = commands.start(TREASURER)["run_id"]
    assert dispatching.dispatch(run_id) == 9
    assert dispatching.dispatch(run_id) == 0, "the second dispatch has nothing to do"
    assert sync.items(run_id) == {"pending": 9}
    now = progress.current()
    assert (now["status"], now["total"], now["pending"]) == ("running", 9, 9)


def write_first_chunk(run_id: int) -> None:
    """Write the first chunk of items, as a dispatch that dies after it."""
    with transaction() as session:
        run = dispatching.lock_undispatched(session, run_id)
        assert run is not None
        dispatching._write_items(session, run)


@every_database
def test_an_interrupted_dispatch_is_continued(
    campus: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "CHUNK", 4)
    run_id = commands.start(TREASURER)["run_id"]
    write_first_chunk(run_id)
    assert sync.items(run_id) == {"pending": 4}
    assert progress.current()["total"] == 0
    assert dispatching.dispatch(run_id) == 10
    assert sync.items(run_id) == {"pending": 10}


def test_a_run_cancelled_in_the_middle_of_its_dispatch_adds_up(
    campus: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatching, "CHUNK", 4)
    run_id = commands.start(TREASURER)["run_id"]
    write_first_chunk(run_id)
    ended = commands.cancel(TREASURER)
    assert (ended["status"], ended["total"], ended["cancelled"]) == ("cancelled", 4, 4)
    assert dispatching.dispatch(run_id) == 0
    sync.check_numbers(progress.current())


def test_only_selected_students_are_dispatched(campus: Flask) -> None:
    run_id = commands.start(TREASURER, selected_ids=["100003", "100001", "100003"])["run_id"]
    assert dispatching.dispatch(run_id) == 2
    assert set(db.session.scalars(select(SyncItem.idperson))) == {"100001", "100003"}


@pytest.mark.parametrize(
    ("options", "error", "code"),
    [
        ({"selected_ids": ["100001", "x"]}, Invalid, "unknown_student"),
        ({"selected_ids": ["100001", "0100001"]}, Invalid, "unknown_student"),
        ({"selected_ids": ["100001", "100009"]}, Invalid, "inactive_student"),
        ({"selected_ids": []}, Invalid, "no_student"),
        ({"failed_of": 99}, NotFound, "no_such_run"),
    ],
)
def test_invalid_selections_start_no_run(
    campus: Flask, options: dict[str, Any], error: type[DomainError], code: str
) -> None:
    with transaction() as session:
        session.execute(update(Siswa).where(Siswa.idperson == "100009").values(active=False))
    with pytest.raises(error) as refused:
        commands.start(TREASURER, **options)
    assert refused.value.code == code
    assert progress.current()["status"] == "idle"


def test_without_students_no_run_starts(app: Flask) -> None:
    with app.app_context(), pytest.raises(Invalid) as refused:
        commands.start(TREASURER)
    assert refused.value.code == "no_student"


def test_a_run_fails_if_no_student_is_active_at_its_dispatch(campus: Flask) -> None:
    run_id = commands.start(TREASURER)["run_id"]
    with transaction() as session:
        session.execute(update(Siswa).values(active=False))
    assert dispatching.dispatch(run_id) == 0
    ended = progress.current()
    assert (ended["status"], ended["reason_code"]) == ("failed", "no_student")
    assert ended["finished_at"] is not None


def test_a_retry_covers_the_failed_students_and_is_linked_to_their_run(campus: Flask) -> None:
    run_id = commands.start(TREASURER)["run_id"]
    dispatching.dispatch(run_id)
    with transaction() as session:
        failed = update(SyncItem).where(SyncItem.idperson.in_(["100002", "100005"]))
        session.execute(failed.values(status="failed", code="timeout"))
        session.execute(update(SyncRun).values(failed=2))
    commands.cancel(TREASURER)
    before = progress.find(run_id)
    again = commands.retry_failed(TREASURER)
    assert again["parent_run_id"] == run_id
    assert dispatching.dispatch(again["run_id"]) == 2
    assert progress.find(run_id) == before, "the parent's numbers stay frozen"


def test_a_retry_after_a_dry_run_is_a_dry_run(campus: Flask) -> None:
    run_id = commands.start(TREASURER, dry_run=True)["run_id"]
    dispatching.dispatch(run_id)
    with transaction() as session:
        session.execute(update(SyncItem).values(status="failed", code="timeout"))
        session.execute(update(SyncRun).values(failed=10))
    lifecycle.advance(run_id)
    assert commands.retry_failed(TREASURER)["dry_run"]


def test_a_retry_without_failures_is_refused(campus: Flask) -> None:
    with pytest.raises(Invalid) as refused:
        commands.retry_failed(TREASURER)
    assert refused.value.code == "no_student"
    end(commands.start(TREASURER)["run_id"])
    with pytest.raises(Invalid):
        commands.retry_failed(TREASURER)


def test_actions_that_the_status_does_not_allow_are_refused(campus: Flask) -> None:
    for act in (commands.pause, commands.resume, commands.cancel):
        with pytest.raises(Conflict):
            act(TREASURER)
    commands.start(TREASURER)
    for act in (commands.resume, commands.reset, commands.retry_failed):
        with pytest.raises(Conflict):
            act(TREASURER)
    commands.pause(TREASURER)
    for act in (commands.pause, commands.start):
        with pytest.raises(Conflict):
            act(TREASURER)
    commands.cancel(TREASURER)
    with pytest.raises(Conflict):
        commands.cancel(TREASURER)


def test_reset_shows_no_run_and_keeps_the_history(campus: Flask) -> None:
    run_id = commands.start(TREASURER)["run_id"]
    end(run_id)
    assert commands.reset(TREASURER)["status"] == "idle"
    assert progress.current() == progress.idle()
    assert commands.reset(TREASURER)["run_id"] is None, "a second reset changes nothing"
    assert progress.find(run_id) is not None
    assert db.session.scalars(select(Activity.action)).all().count("sync.reset") == 1


def test_a_requested_student_is_queued_and_an_unknown_one_refused(
    campus: Flask, valkey: redis.Redis
) -> None:
    job_id = commands.sync_student_later(TREASURER, "100001")
    assert valkey.lrange("rq:queue:sync-pembayaran", 0, -1) == [job_id.encode()]
    with pytest.raises(NotFound):
        commands.sync_student_later(TREASURER, "x")


class TestWithoutValkey:
    @pytest.fixture
    def settings(self, settings: dict[str, str]) -> dict[str, str]:
        return settings | {"REDIS_URL": "redis://127.0.0.1:1/0"}

    def test_a_run_is_accepted_and_its_reason_is_valkey(self, campus: Flask) -> None:
        accepted = commands.start(TREASURER)
        assert accepted["status"] == "queued"
        assert accepted["reason_code"] == "valkey_unreachable"
        assert "Valkey" in accepted["reason"]
        assert commands.cancel(TREASURER)["status"] == "cancelled"

    def test_a_request_for_a_student_is_refused(self, campus: Flask) -> None:
        with pytest.raises(Unavailable):
            commands.sync_student_later(TREASURER, "100001")
