"""`flask sync`: output and exit codes."""

import json
import signal
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update

from devtools.simulator import Simulator
from myukm.db.session import transaction
from myukm.domain.sync import commands, dispatching, lane_job
from myukm.models import Siswa, SyncRun
from myukm.models.sync import Status
from tests.support import sync
from tests.support.programs import Program
from tests.support.waiting import wait_until

Flasks = Callable[..., Result]
NO_DATABASE = "postgresql://postgres@127.0.0.1:1/none"


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url}


@pytest.fixture
def campus(app: Flask) -> Flask:
    with app.app_context():
        sync.create_students(50)
    return app


@pytest.fixture
def flask(campus: Flask) -> Flasks:
    """`flask("status")` runs `flask sync status` in this process."""
    return lambda *words: campus.test_cli_runner().invoke(args=("sync", *words))


def run_to_the_end(campus: Flask) -> None:
    """Dispatch the run and process all its students, as a worker would."""
    run_id = sync.progress_of(campus)["run_id"]
    with campus.app_context():
        dispatching.dispatch(run_id)
    with campus.app_context():
        lane_job.run_lane(run_id)


def json_of(result: Result) -> Any:
    return json.loads(result.stdout)


def test_start_is_accepted_and_returns(flask: Flasks) -> None:
    result = flask("start", "--json")
    assert result.exit_code == 0
    assert json_of(result)["status"] == "queued"
    assert json_of(result)["started_by"].endswith("(CLI)")


def test_a_second_start_is_refused_in_one_line(flask: Flasks) -> None:
    flask("start")
    refused = flask("start")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Sinkronisasi sedang berjalan.\n"


def test_start_takes_selected_students_and_refuses_unknown_ones(
    flask: Flasks, campus: Flask
) -> None:
    unknown = flask("start", "--idperson", "100001", "--idperson", "x")
    assert unknown.exit_code == 1
    assert "x" in unknown.stderr
    assert flask("start", "--idperson", "100001", "--idperson", "100002").exit_code == 0
    run_to_the_end(campus)
    assert json_of(flask("status", "--json"))["total"] == 2


def test_unknown_options_and_values_exit_with_two(flask: Flasks) -> None:
    assert flask("start", "--nope").exit_code == 2
    assert flask("start", "--failed-of", "x").exit_code == 2


def test_without_a_run_status_says_so_and_watch_exits_with_one(flask: Flasks) -> None:
    assert flask("status").stdout == "Tidak ada sinkronisasi.\n"
    assert json_of(flask("status", "--json"))["run_id"] is None
    assert flask("watch").exit_code == 1


@pytest.mark.parametrize(("kind", "code"), [(None, 0), ("404", 3)])
def test_watch_exits_with_the_code_of_the_runs_outcome(
    flask: Flasks, campus: Flask, simulator: Simulator, kind: str | None, code: int
) -> None:
    simulator.set(fail={kind: ["100001"]} if kind else {})
    flask("start")
    run_to_the_end(campus)
    watched = flask("watch")
    assert watched.exit_code == code
    assert "100%" in watched.stdout.replace(" ", "")


def test_start_watch_follows_the_run_to_its_end_in_few_lines(
    flask: Flasks, campus: Flask, start: Callable[..., Any], simulator: Simulator
) -> None:
    simulator.set(latency_ms="20")
    start("rq", "worker", "sync-pembayaran")
    result = flask("start", "--watch")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0].startswith("Proses ")
    assert ["selesai" in line for line in lines].index(True) == len(lines) - 1
    assert len(lines) <= 15


def test_watching_a_cancelled_run_exits_with_four(flask: Flasks) -> None:
    flask("start")
    assert "dibatalkan" in flask("cancel").stdout
    assert flask("watch").exit_code == 4
    assert flask("cancel").exit_code == 1


def test_status_says_why_a_run_is_paused_or_failed(flask: Flasks, campus: Flask) -> None:
    flask("start")
    flask("pause")
    assert flask("status").stdout.splitlines()[1].startswith("Dijeda oleh ")
    for status, live in ((Status.PAUSED, 1), (Status.FAILED, None)):
        values = {"status": status, "live": live, "reason": "API menolak", "reason_code": "x"}
        with campus.app_context(), transaction() as session:
            session.execute(update(SyncRun).values(**values))
        assert flask("status").stdout.splitlines()[1] == "Sebab: API menolak"


def test_pause_resume_and_reset_work_only_in_the_right_status(flask: Flasks) -> None:
    assert flask("pause").exit_code == 1
    flask("start")
    assert json_of(flask("pause", "--json"))["status"] == "paused"
    assert flask("reset").exit_code == 1
    assert json_of(flask("resume", "--json"))["status"] == "queued"
    flask("cancel")
    assert json_of(flask("reset", "--json"))["status"] == "idle"


def test_retry_failed_starts_a_run_over_the_failed_students(
    flask: Flasks, campus: Flask, simulator: Simulator
) -> None:
    assert flask("retry-failed").exit_code == 1
    simulator.set(fail={"404": ["100001", "100002"]})
    flask("start")
    run_to_the_end(campus)
    assert flask("retry-failed").exit_code == 0
    simulator.set(fail={})
    run_to_the_end(campus)
    again = json_of(flask("status", "--json"))
    assert (again["total"], again["success"], again["parent_run_id"]) == (2, 2, 1)


def test_history_lists_ended_runs(flask: Flasks, campus: Flask) -> None:
    flask("start")
    flask("cancel")
    assert [run["status"] for run in json_of(flask("history", "--json"))] == ["cancelled"]
    with campus.app_context(), transaction() as session:
        session.execute(update(SyncRun).values(started_by="Budi [bendahara] [/]"))
    shown = flask("history").stdout
    assert "Dibatalkan" in shown
    assert "Budi [bendahara] [/]" in shown


def test_history_goes_back_to_the_first_run(flask: Flasks, campus: Flask) -> None:
    with campus.app_context(), transaction() as session:
        session.add_all([SyncRun(id=n, status="completed") for n in range(1, 121)])
    assert [run["run_id"] for run in json_of(flask("history", "--json"))] == [*range(120, 100, -1)]
    older = json_of(flask("history", "--json", "--limit", "1000", "--before", "101"))
    assert [run["run_id"] for run in older] == [*range(100, 0, -1)]
    assert " 15  Selesai" in flask("history", "--before", "16", "--limit", "1").stdout
    assert json_of(flask("history", "--json", "--before", "1")) == []
    assert flask("history", "--before", "0").exit_code == 2
    assert len(json_of(flask("history", "--json", "--before", str(10**30)))) == 20


def test_dry_run_writes_no_student(flask: Flasks, campus: Flask) -> None:
    flask("start", "--dry-run")
    run_to_the_end(campus)
    assert json_of(flask("status", "--json"))["dry_run"]
    with campus.app_context():
        assert commands.start(sync.TREASURER)
    run_to_the_end(campus)
    now = sync.progress_of(campus)
    assert (now["success"], now["unchanged"]) == (50, 0), "nothing had been written before"


def test_check_fails_if_the_answer_reports_a_failure(flask: Flasks, simulator: Simulator) -> None:
    said = {"body": '{"success": false, "message": "Token kedaluwarsa", "data": []}'}
    simulator.set(override={"/payments/100001": said})
    done = flask("check")
    assert done.exit_code == 1
    assert "Token diterima" not in done.stdout
    assert "success: false Token kedaluwarsa" in done.stdout


@pytest.mark.parametrize("status", [302, 403, 429, 500, 502, 503])
def test_check_says_nothing_about_the_token_if_the_answer_proves_nothing(
    flask: Flasks, simulator: Simulator, status: int
) -> None:
    simulator.set(override={"/payments/100001": {"status": status, "body": "{}"}})
    done = flask("check")
    assert done.exit_code == 1
    assert f"HTTP {status}" in done.stdout
    assert "Token" not in done.stdout


@pytest.mark.parametrize(
    ("status", "said"), [(404, "Belum ada siswa"), (403, "HTTP 403"), (500, "HTTP 500")]
)
def test_check_without_students_names_a_failing_api_first(
    flask: Flasks, campus: Flask, simulator: Simulator, status: int, said: str
) -> None:
    with campus.app_context(), transaction() as session:
        session.execute(update(Siswa).values(active=False))
    simulator.set(override={"/payments/-": {"status": status, "body": "{}"}})
    assert flask("check").stdout.splitlines()[-1].startswith("✗ ")
    assert said in flask("check").stdout.splitlines()[-1]


def test_check_passes_and_fails_for_a_wrong_token_or_a_dead_api(
    flask: Flasks, simulator: Simulator
) -> None:
    good = flask("check")
    assert good.exit_code == 0
    assert len(good.stdout.splitlines()) == 3
    simulator.set(token="another")
    refused = flask("check")
    assert refused.exit_code == 1
    assert "401" in refused.stdout
    simulator.stop()
    assert flask("check").exit_code == 1


def test_without_a_database_status_exits_with_five(start: Callable[..., Program]) -> None:
    program = start("flask", "--app", "wsgi", "sync", "status", DATABASE_URL=NO_DATABASE)
    assert program.child.wait(30) == 5
    assert "Basis data tidak menjawab" in program.output()


def test_ctrl_c_stops_watching_and_not_the_run(
    campus: Flask, start: Callable[..., Program]
) -> None:
    watching = start("flask", "--app", "wsgi", "sync", "start", "--watch")
    wait_until(lambda: "menunggu antrian" in watching.output(), 30, "it watches")
    (command,) = psutil.Process(watching.child.pid).children()
    command.send_signal(signal.SIGINT)
    assert watching.child.wait(10) == 130
    assert "tetap berjalan" in watching.output()
    assert sync.progress_of(campus)["status"] == "queued"


def test_migrations_without_a_database_end_in_one_line(start: Callable[..., Program]) -> None:
    program = start("flask", "--app", "wsgi", "db", "upgrade", DATABASE_URL=NO_DATABASE)
    assert program.child.wait(30) == 5
    assert len(program.output().splitlines()) == 1


def test_schedule_prints_the_next_five_times(flask: Flasks, campus: Flask) -> None:
    assert "tidak ada proses yang mulai sendiri" in flask("schedule").output
    campus.config["SYNC_SCHEDULE"] = "30 1 * * *"
    lines = flask("schedule").output.splitlines()
    assert len(set(lines)) == 5
    assert all(line.endswith("01.30") for line in lines)
