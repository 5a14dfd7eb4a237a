"""`flask queue`: what it prints and how it ends."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import redis
from click.testing import Result
from flask import Flask
from rich.console import Console
from sqlalchemy import text

import config
from devtools.ports import any_free
from devtools.simulator.client import Simulator
from devtools.valkey import Valkey
from myukm import create_app
from myukm.cli.queue_monitor import screen, sparkline
from myukm.domain import activity
from myukm.errors import Unavailable
from myukm.extensions import db
from myukm.ops import doctor, lost_jobs, stats
from myukm.ops.history.sampler import Sampler
from myukm.queues import queue_ping, restart_counter
from myukm.queues.enqueue import enqueue
from myukm.queues.jobs import QUEUES
from myukm.queues.restricted_job import RestrictedJob
from tests.support.programs import Program
from tests.support.without_valkey import lose_valkey
from tests.support.workers import WORKER, wait_serving, waiting

Flasks = Callable[..., Result]
PRESENCE = "myukm.jobs.presence.broadcast_online_status"


@pytest.fixture
def flask(app: Flask) -> Flasks:
    """`flask("queue", "ping")` runs a command in this process."""

    def run(*words: str, **kwargs: str) -> Result:
        for name in [key for key in app.extensions if key.startswith("ttl_cache:")]:
            del app.extensions[name]
        return app.test_cli_runner().invoke(args=words, **kwargs)

    return run


@pytest.fixture
def failed_job(app: Flask, start: Callable[..., Program]) -> str:
    """The id of a job that failed."""
    with app.app_context():
        job_id = str(enqueue(PRESENCE, 1, "one too many"))
    assert start("rq", "worker", "default", "--burst").child.wait(30) == 0
    return job_id


def test_monitor_prints_the_figures_as_json(app: Flask, flask: Flasks) -> None:
    with app.app_context():
        enqueue(PRESENCE, 1)
    done = flask("queue", "monitor", "--json")
    figures = json.loads(done.stdout)
    assert (done.exit_code, done.stderr) == (0, "")
    by_name = {row["name"]: row for row in figures["queues"]}
    assert list(by_name) == list(QUEUES)
    assert by_name["default"]["waiting"] == 1
    assert set(by_name["default"]) == {
        *("name", "waiting", "paused", "oldest_seconds", "running", "workers", "rate_per_minute"),
        *("finished_hour", "failed_hour", "finished_today", "failed_today"),
    }


def test_monitor_prints_once_in_a_pipe(flask: Flasks, failed_job: str) -> None:
    done = flask("queue", "monitor")
    assert done.exit_code == 0
    for shown in ("sync-pembayaran", "menunggu", failed_job, "TypeError", "Tidak ada worker."):
        assert shown in done.stdout


@pytest.mark.parametrize("columns", ["80", "50"])
def test_monitor_shows_ids_and_errors_whole_on_narrow_terminals(
    flask: Flasks, failed_job: str, app: Flask, columns: str
) -> None:
    with app.app_context():
        Sampler().run()
    lines = flask("queue", "monitor", "--once", env={"COLUMNS": columns}).stdout.splitlines()
    assert max(map(len, lines)) <= int(columns)
    assert lines[0].startswith("PERHATIAN: Tidak ada worker yang mendengarkan")
    starts = [n for n, line in enumerate(lines) if line.split("  ")[0] in QUEUES]
    if columns == "80":
        assert [after - before for before, after in pairwise(starts[:3])] == [2, 2]
        assert "▁" in lines[starts[0] + 1]
        assert "1 jam: 0 selesai, 1 gagal · hari ini: 0, 1" in lines[starts[1] + 1]
    shown = " ".join(lines)
    for whole in (*QUEUES, failed_job, "TypeError:"):
        assert whole in shown


def test_a_sparkline_shows_the_highest_value_of_each_column_and_gaps() -> None:
    assert sparkline([]) == " " * 20
    assert sparkline([(0.0, 0), (0.01, 4), (0.06, 0), (0.5, 2), (1.0, 1)]) == (
        "█▁" + " " * 8 + "▅" + " " * 8 + "▃"
    )


def test_monitor_without_a_database_has_no_history(flask: Flasks, app: Flask) -> None:
    with app.app_context():
        db.session.execute(text("DROP TABLE queue_sample"))
        db.session.commit()
    done = flask("queue", "monitor", "--once")
    assert (done.exit_code, "sync-pembayaran" in done.stdout) == (0, True)


def test_when_valkey_is_lost_monitor_shows_the_findings_only(app: Flask) -> None:
    lose_valkey(app)
    console = Console(record=True, width=200)
    with app.app_context():
        console.print(screen(stats.health(), doctor.report(), None))
    shown = console.export_text()
    assert "Valkey" in shown
    assert "Tidak ada pekerjaan yang gagal" not in shown


def test_doctor_prints_one_line_per_finding(app: Flask, flask: Flasks) -> None:
    done = flask("queue", "doctor")
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert lines[0].startswith("PERHATIAN: Tidak ada worker yang mendengarkan antrian high, def")
    assert "→ Jalankan: ./run worker" in lines[0]
    report = json.loads(flask("queue", "doctor", "--json").stdout)
    assert report["status"] == "warning"
    assert lines.pop().startswith("Penjelasannya di docs/findings.md: no_worker")
    assert len(lines) == len(report["findings"])
    promised = {"code", "level", "message", "since", "cure", "subject", "host", "pid", "people"}
    assert all({*promised, "heals", "effect"} <= set(each) for each in report["findings"])
    assert "belum mengenai siapa pun, perlu tindakan)" in lines[0]


def test_doctor_exits_with_0_when_nothing_is_wrong(
    flask: Flasks, app: Flask, start: Callable[..., Program], simulator: Simulator
) -> None:
    app.config["PEMBAYARAN_API_URL"] = simulator.url
    start(*WORKER)
    wait_serving(app)
    done = flask("queue", "doctor")
    assert (done.exit_code, done.stdout[:5]) == (0, "Sehat")


def test_ping_names_the_worker_that_answered(
    flask: Flasks, app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    start(*WORKER, "high", "default")
    wait_serving(app, ["high", "default"])
    done = flask("queue", "ping", "high", "default")
    assert done.exit_code == 0
    assert "high." in done.stdout
    assert "default." in done.stdout
    done = flask("queue", "ping", "--timeout", "0.5")
    assert done.exit_code == 1
    assert "tidak ada jawaban" in done.stdout
    assert waiting(valkey, "sync-pembayaran") == [], (
        "a ping without an answer is removed from its queue"
    )


def dispatch_failed(name: str) -> str:
    """Enqueue a ping that has failed already."""
    job_id = str(enqueue(queue_ping.PING, to=name))
    lost_jobs._fail(name, job_id, "TypeError: unexpected")
    return job_id


def test_a_ping_that_fails_is_no_answer(
    flask: Flasks, app: Flask, monkeypatch: pytest.MonkeyPatch, valkey: redis.Redis
) -> None:
    monkeypatch.setattr(queue_ping, "_dispatch", dispatch_failed)
    done = flask("queue", "ping", "high", "--timeout", "5")
    assert (done.exit_code, "tidak ada jawaban" in done.stdout) == (1, True)


def test_bench_prints_times_and_rate(
    flask: Flasks, app: Flask, start: Callable[..., Program]
) -> None:
    start(*WORKER, "high")
    wait_serving(app, ["high"])
    done = flask("queue", "bench", "high", "-n", "20")
    assert done.exit_code == 0
    assert "20 pekerjaan di high" in done.stdout
    for shown in ("min", "p50", "p99", "max", "antri", "tunggu", "jalan", "pekerjaan/detik"):
        assert shown in done.stdout


def test_bench_refuses_to_measure_jobs_that_failed(
    flask: Flasks, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_ping, "_dispatch", dispatch_failed)
    done = flask("queue", "bench", "high", "-n", "2")
    assert (done.exit_code, "2 dari 2 pekerjaan gagal" in done.stderr) == (1, True)


@pytest.mark.parametrize("command", [("ping", "high", "default"), ("bench", "high", "-n", "2")])
def test_no_job_stays_behind_if_valkey_refuses_the_second(
    flask: Flasks, monkeypatch: pytest.MonkeyPatch, valkey: redis.Redis, command: tuple[str, ...]
) -> None:
    refusals = iter([False, True])

    def dispatch(name: str) -> str:
        if next(refusals):
            raise Unavailable("Valkey penuh.", code="valkey_unreachable")
        return str(enqueue(queue_ping.PING, to=name))

    monkeypatch.setattr(queue_ping, "_dispatch", dispatch)
    done = flask("queue", *command)
    assert (done.exit_code, "Valkey penuh." in done.stderr) == (1, True)
    assert waiting(valkey, "high") == []


def test_bench_says_why_it_cannot_measure(flask: Flasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("myukm.cli.queue.BENCH_SECONDS", 0.3)
    done = flask("queue", "bench", "-n", "2")
    assert (done.exit_code, done.stderr) == (
        1,
        "tidak ada worker yang mendengarkan antrian default\n",
    )


def test_failed_jobs_are_listed_and_retried(
    flask: Flasks, failed_job: str, valkey: redis.Redis
) -> None:
    [row] = json.loads(flask("queue", "failed", "--json").stdout)
    assert (row["id"], row["queue"]) == (failed_job, "default")
    assert failed_job in flask("queue", "failed").stdout
    done = flask("queue", "retry", failed_job)
    assert (done.exit_code, done.stdout) == (0, "1 pekerjaan diantrikan lagi.\n")
    assert waiting(valkey, "default") == [failed_job]
    assert json.loads(flask("queue", "failed", "--json").stdout) == []
    assert flask("queue", "retry", failed_job).exit_code == 1
    for missing in ("no-such-job", "'", "../x", "é" * 300):
        assert flask("queue", "retry", missing).stderr == f"Tidak ada pekerjaan {missing}.\n"


def test_one_wrong_id_keeps_all_failed_jobs_as_they_are(
    app: Flask, flask: Flasks, failed_job: str, valkey: redis.Redis
) -> None:
    with app.app_context():
        other = str(enqueue(PRESENCE, 1))
    for wrong, answer in (
        (other, f"Pekerjaan {other} tidak gagal.\n"),
        ("x", "Tidak ada pekerjaan x.\n"),
    ):
        done = flask("queue", "retry", failed_job, wrong)
        assert (done.exit_code, done.stderr) == (1, answer)
        assert waiting(valkey, "default") == [other]
    assert flask("queue", "retry", failed_job, failed_job).exit_code == 0
    assert waiting(valkey, "default") == [other, failed_job]


def test_commands_that_change_queues_are_recorded(
    app: Flask, flask: Flasks, failed_job: str
) -> None:
    with app.app_context():
        enqueue(PRESENCE, 1)
    flask("queue", "retry", failed_job)
    flask("queue", "clear", "default", "--waiting", "--yes")
    flask("queue", "restart")
    with app.app_context():
        rows = activity.audit_page(action="queue.").items
        assert [(row.action, row.subject) for row in reversed(rows)] == [
            ("queue.retry", f"1: {failed_job}"),
            ("queue.clear", "default waiting: 2"),
            ("queue.restart", ""),
        ]
        assert {(row.actor_id, (row.actor_name or "")[-4:]) for row in rows} == {(None, "CLI)")}


def test_queues_can_be_cleared_without_a_database(
    app: Flask, flask: Flasks, valkey: redis.Redis
) -> None:
    with app.app_context():
        enqueue(PRESENCE, 1)
        app.extensions["sqlalchemy"].engine.dispose()
    database = Path(app.config["DATABASE_URL"].removeprefix("sqlite:///"))
    database.rename(database.with_suffix(".gone"))
    database.mkdir()
    done = flask("queue", "clear", "default", "--waiting", "--yes")
    assert (done.exit_code, waiting(valkey, "default")) == (0, [])
    assert done.stderr == "Tidak tercatat di jejak audit: basis data tidak menjawab.\n"


def test_retry_needs_either_ids_or_all(flask: Flasks, failed_job: str, valkey: redis.Redis) -> None:
    assert flask("queue", "retry").exit_code == 2
    assert flask("queue", "retry", failed_job, "--all").exit_code == 2
    assert flask("queue", "retry", "--all").exit_code == 0
    assert waiting(valkey, "default") == [failed_job]


def test_retry_records_four_jobs_and_that_there_were_more(
    app: Flask, flask: Flasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("myukm.queues.failed_jobs.retry", lambda job_ids: 3)
    flask("queue", "retry", "a", "b", "c", "d", "e")
    with app.app_context():
        (row,) = activity.audit_page(action="queue.").items
    assert row.subject == "3: a b c d …"


def test_clear_asks_first_and_empties_only_its_queue(
    app: Flask, flask: Flasks, valkey: redis.Redis
) -> None:
    with app.app_context():
        for user_id in range(3):
            enqueue(PRESENCE, user_id)
        other = enqueue(PRESENCE, 1, to="high")
    assert flask("queue", "clear", "default", "--waiting", input="n\n").exit_code == 1
    assert len(waiting(valkey, "default")) == 3
    done = flask("queue", "clear", "default", "--waiting", "--yes")
    assert (done.exit_code, done.stdout) == (0, "3 pekerjaan dihapus.\n")
    assert (waiting(valkey, "default"), waiting(valkey, "high")) == ([], [other])


def test_clear_failed_deletes_the_failed_jobs(
    flask: Flasks, failed_job: str, valkey: redis.Redis
) -> None:
    assert flask("queue", "clear", "default", "--failed", "--yes").exit_code == 0
    assert not valkey.exists(RestrictedJob.key_for(failed_job))
    assert json.loads(flask("queue", "failed", "--json").stdout) == []


@pytest.mark.parametrize(
    "words",
    [
        ("clear", "default"),
        ("clear", "default", "--waiting", "--failed"),
        ("clear", "nowhere", "--waiting"),
        ("ping", "nowhere"),
        ("ping", "--timeout", "0"),
        ("bench", "-n", "0"),
        ("failed", "-n", f"{10**30}"),
        ("monitor", "--often"),
    ],
)
def test_wrong_arguments_are_refused(flask: Flasks, words: tuple[str, ...]) -> None:
    assert flask("queue", *words).exit_code == 2


def test_restart_is_requested_and_names_workers_that_cannot_restart_themselves(
    flask: Flasks, app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    start("rq", "worker", "high")
    wait_serving(app, ["high"])
    done = flask("queue", "restart")
    assert done.exit_code == 0
    assert "ulangi dengan tangan" in done.stdout
    assert restart_counter.current(valkey) == b"1"


@pytest.mark.parametrize(
    "words", [("monitor",), ("ping",), ("bench",), ("failed",), ("retry", "--all"), ("restart",)]
)
def test_without_valkey_commands_exit_with_5(
    settings: dict[str, str], words: tuple[str, ...]
) -> None:
    away = {**settings, "REDIS_URL": f"redis://127.0.0.1:{any_free()}/0"}
    done = create_app(config.load(away)).test_cli_runner().invoke(args=("queue", *words))
    assert done.exit_code == 5
    assert done.stderr.startswith("Valkey tidak menjawab")


def test_what_valkey_refuses_is_told_in_one_line(flask: Flasks, valkey: redis.Redis) -> None:
    valkey.config_set("maxmemory", 1)
    try:
        done = flask("queue", "restart")
    finally:
        valkey.config_set("maxmemory", 0)
    assert (done.exit_code, len(done.stderr.splitlines())) == (5, 1)
    assert done.stderr.startswith("Valkey menolak: ")


@pytest.mark.parametrize(
    ("change", "password"),
    [
        ("REPLICAOF 127.0.0.1 1", ""),
        ("CONFIG SET requirepass other", ""),
        ("CONFIG SET requirepass other", ":wrong@"),
    ],
)
def test_a_replica_and_a_valkey_with_another_password_refuse(
    settings: dict[str, str], killable_valkey: Valkey, change: str, password: str
) -> None:
    with redis.Redis.from_url(killable_valkey.url) as client:
        client.execute_command(*change.split())
    url = killable_valkey.url.replace("//", f"//{password}")
    app = create_app(config.load({**settings, "REDIS_URL": url}))
    done = app.test_cli_runner().invoke(args=("queue", "restart"))
    assert (done.exit_code, done.stderr[:16]) == (5, "Valkey menolak: "), done.stderr


@pytest.mark.parametrize(
    ("setting", "scheme", "broken", "obstacle"),
    [
        ("REDIS_URL", "redis", "RUSAK: Valkey di redis://127.0.0.1:", "Valkey tidak menjawab"),
        ("DATABASE_URL", "postgresql", "RUSAK: Basis data", "Basis data tidak menjawab"),
    ],
)
def test_without_a_server_the_doctor_says_broken_and_what_it_could_not_heal(
    settings: dict[str, str], setting: str, scheme: str, broken: str, obstacle: str
) -> None:
    away = {**settings, setting: f"{scheme}://127.0.0.1:{any_free()}/0"}
    run = create_app(config.load(away)).test_cli_runner().invoke
    done = run(args=("queue", "doctor"))
    assert (done.exit_code, done.stdout[: len(broken)]) == (2, broken), done.output
    healed = run(args=("queue", "doctor", "--fix"))
    assert (healed.exit_code, healed.stdout[: len(obstacle)]) == (2, obstacle), healed.output
    assert f"\n{broken}" in healed.stdout
