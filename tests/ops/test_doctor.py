"""The doctor names findings and their cures; the most likely cause comes first."""

import json
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import text, update

import config
from devtools.ports import any_free
from devtools.simulator.client import Simulator
from myukm import create_app
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.chat import messages
from myukm.domain.sync import commands
from myukm.extensions import db
from myukm.live.event_log import Event, EventCounter
from myukm.models import ChatMessage, Siswa, SyncRun, User
from myukm.ops import api_probe, doctor, host_reports
from myukm.ops.causes import causes
from myukm.ops.findings import host, queues
from myukm.queues.enqueue import enqueue
from myukm.queues.restricted_job import RestrictedJob
from tests.support import sync
from tests.support.people import UKM
from tests.support.programs import Program
from tests.support.raw_api import RawApi, raw
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until
from tests.support.workers import WORKER, kill, pid_of, snapshot_now, wait_serving

Report = dict[str, Any]
CHAT = "myukm.jobs.chat.broadcast_chat_message"


def examine(app: Flask) -> Report:
    for name in [key for key in app.extensions if key.startswith("ttl_cache:")]:
        del app.extensions[name]
    with app.app_context():
        return doctor.report()


def codes(report: Report) -> set[tuple[str, str]]:
    return {(finding["code"], finding["level"]) for finding in report["findings"]}


def wait_finding(app: Flask, code: str) -> dict[str, Any]:
    """Wait up to 30 s for findings of that code and return the first."""
    return wait_until(lambda: named(app, code), 30, code)[0]


def named(app: Flask, code: str) -> list[dict[str, Any]]:
    return [each for each in examine(app)["findings"] if each["code"] == code]


def queue_old_jobs(app: Flask, valkey: redis.Redis, count: int) -> None:
    """Enqueue chat jobs that have waited for half a minute."""
    moment = (utcnow() - timedelta(seconds=30)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with app.app_context():
        for ukm_id in range(count):
            job_id = str(enqueue(CHAT, ukm_id))
            valkey.hset(RestrictedJob.key_for(job_id), "enqueued_at", moment)


@pytest.fixture
def workers(app: Flask, start: Callable[..., Program]) -> Program:
    program = start(*WORKER)
    wait_serving(app)
    return program


def test_all_is_well(app: Flask, workers: Program) -> None:
    assert examine(app) == {"status": "ok", "findings": []}


def test_a_queue_without_a_worker_is_the_first_finding(
    app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    start("rq", "worker", "default")
    wait_serving(app, ["default"])
    queue_old_jobs(app, valkey, 5)
    report = examine(app)
    first = report["findings"][0]
    assert (report["status"], first["code"], first["level"]) == ("broken", "no_worker", "broken")
    assert first["message"].startswith("5 pekerjaan menunggu di antrian high (tertua 3")
    assert first["message"].endswith("Worker yang hidup hanya mendengarkan: default.")
    assert "./run rq worker high" in first["cure"]
    assert first["since"].endswith("Z")


def test_no_worker_at_all_may_be_another_valkey(app: Flask, valkey: redis.Redis) -> None:
    queue_old_jobs(app, valkey, 1)
    first = examine(app)["findings"][0]
    assert "REDIS_URL lain, sebab rq tidak membaca .env" in first["message"]
    assert app.config["REDIS_URL"] in first["message"]


def test_a_worker_that_died_is_the_cause(
    app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    program = start("rq", "worker", "high")
    wait_serving(app, ["high"])
    program.kill()
    wait_serving(app, [])
    queue_old_jobs(app, valkey, 1)
    report = examine(app)
    assert "mati mendadak" in report["findings"][0]["message"]
    assert ("worker_died", "warning") in codes(report)


def test_suspended_workers_are_the_first_finding(
    app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    valkey.set("rq:suspended", 1)
    start(*WORKER)
    wait_serving(app)
    assert codes(examine(app)) == {("workers_suspended", "warning")}
    queue_old_jobs(app, valkey, 2)
    first = examine(app)["findings"][0]
    assert (first["code"], first["level"]) == ("workers_suspended", "broken")
    assert "2 pekerjaan menunggu" in first["message"]
    assert "./run rq resume" in first["cure"]


def test_one_job_that_nobody_takes_is_a_stuck_worker(
    app: Flask,
    start: Callable[..., Program],
    valkey: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queues, "STILL_SECONDS", 1)
    program = start("rq", "worker", "high")
    wait_serving(app, ["high"])
    queue_old_jobs(app, valkey, 3)
    wait_until(lambda: not valkey.llen("rq:queue:high"), 30, "the jobs end")
    assert "worker_stuck" not in str(examine(app))
    is_idle = lambda: [each.state for each in snapshot_now(app).workers] == ["idle"]  # noqa: E731
    wait_until(is_idle, 30, "an idle worker")
    kill(pid_of(app, "high"), signal.SIGSTOP)
    queue_old_jobs(app, valkey, 3)
    wait_until(lambda: "worker_stuck" in str(examine(app)), 30, "the finding")
    found = wait_finding(app, "worker_stuck")
    assert "menganggur" in found["message"]
    subprocess.run(shlex.split(found["cure"].rpartition(": ")[2]), check=True)
    wait_until(lambda: "worker_stuck" not in str(examine(app)), 30, "the finding is gone")
    program.kill()


def test_one_cause_is_one_finding(app: Flask, valkey: redis.Redis) -> None:
    queue_old_jobs(app, valkey, 2)
    with app.app_context():
        sync.create_students(3)
        commands.start(TREASURER)
        with transaction() as session:
            moment = utcnow() - timedelta(minutes=1)
            session.execute(update(SyncRun).values(last_progress_at=moment))
    [found] = examine(app)["findings"]
    assert (found["code"], found["level"]) == ("no_worker", "broken")
    for name in ("high", "default", "sync-pembayaran"):
        assert name in found["message"]


def test_another_programs_worker_is_not_ours(
    app: Flask, start: Callable[..., Program], valkey: redis.Redis
) -> None:
    start(*WORKER)
    wait_serving(app)
    other = start("rq", "worker", "emails")
    wait_until(lambda: len(valkey.smembers("rq:workers")) == 4, 30, "four workers")
    other.kill()
    wait_until(lambda: any(not each.alive for each in snapshot_now(app).workers), 30, "it died")
    assert "worker_died" not in str(examine(app))


def test_every_finding_says_since_when(app: Flask) -> None:
    [first] = examine(app)["findings"]
    [again] = examine(app)["findings"]
    assert first["since"] == again["since"] != None  # noqa: E711


@pytest.mark.parametrize("given", ["", ":wrong@", "nobody:wrong@"])
def test_a_password_is_asked_for_in_words(
    settings: dict[str, str], valkey: redis.Redis, given: str
) -> None:
    url = settings["REDIS_URL"].replace("://", f"://{given}")
    app = create_app(config.load({**settings, "REDIS_URL": url}))
    valkey.config_set("requirepass", "x")
    try:
        found = wait_finding(app, "valkey_unreachable")
    finally:
        valkey.config_set("requirepass", "")
    assert found["message"].endswith("meminta kata sandi (yang lain).")


def test_valkey_away(settings: dict[str, str]) -> None:
    url = f"redis://:secret@127.0.0.1:{any_free()}/0"
    app = create_app(config.load({**settings, "REDIS_URL": url}))
    report = examine(app)
    assert report["status"] == "broken"
    assert report["findings"][0]["code"] == "valkey_unreachable"
    assert "secret" not in str(report)


@pytest.fixture
def valkey_config(valkey: redis.Redis) -> Iterator[redis.Redis]:
    kept = valkey.config_get("maxmemory*")
    yield valkey
    for name in ("maxmemory", "maxmemory-policy"):
        valkey.config_set(name, kept[name])


def test_valkey_that_may_evict_jobs(app: Flask, valkey_config: redis.Redis) -> None:
    valkey_config.config_set("maxmemory-policy", "allkeys-lru")
    assert ("valkey_policy", "warning") in codes(examine(app))
    valkey_config.config_set("maxmemory", "1gb")
    assert ("valkey_policy", "broken") in codes(examine(app))


def test_valkey_that_is_full(app: Flask, valkey_config: redis.Redis) -> None:
    used = valkey_config.info("memory")["used_memory"]
    valkey_config.config_set("maxmemory", int(used / 0.95))
    assert "memory" in wait_finding(app, "valkey_memory")["code"]


def test_database_away(settings: dict[str, str]) -> None:
    away = f"postgresql://u:secret@127.0.0.1:{any_free()}/x"
    app = create_app(config.load({**settings, "DATABASE_URL": away}))
    found = wait_finding(app, "database_unreachable")
    assert "127.0.0.1" in found["message"]
    assert "secret" not in str(found)


def test_the_folder_of_the_database_file_is_missing(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """The cure names no server to start, because SQLite has none."""
    url = f"sqlite:///{tmp_path}/new/myukm.db"
    app = create_app(config.load({**settings, "DATABASE_URL": url}))
    assert "folder file itu" in wait_finding(app, "database_unreachable")["cure"]


def test_migrations_missing(app: Flask) -> None:
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0012'"))
    found = wait_finding(app, "migrations")
    assert (found["level"], "./run db upgrade" in found["cure"]) == ("broken", True)
    with app.app_context(), transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999_future'"))
    assert "perbarui program" in wait_finding(app, "migrations")["cure"]


def test_messages_that_nobody_publishes(
    app: Flask, people: dict[str, int], start: Callable[..., Program]
) -> None:
    """Written while neither web nor worker runs, and published by the worker that is started."""
    with app.app_context():
        messages.post(db.session.get_one(User, people["member"]), UKM, "Halo", "1")
    found = wait_finding(app, "chat_unpublished")
    assert (found["level"], found["people"]) == ("broken", 2), "the members of that UKM"
    assert "Halo" not in str(found)
    start(*WORKER)
    wait_until(lambda: not named(app, "chat_unpublished"), 30, "the finding is gone")


def test_messages_that_are_late_while_others_are_published(
    app: Flask, people: dict[str, int]
) -> None:
    """That is a busy machine, and no finding unless a message is late by a minute."""
    with app.app_context(), transaction() as session:
        author = session.get_one(User, people["member"])
        late, _ = messages.post(author, UKM, "Halo", "1")
        sent, _ = messages.post(author, UKM, "Halo juga", "2")
    for age, others_go_out, is_named in ((15, True, False), (15, False, True), (70, True, True)):
        now = utcnow()
        with app.app_context(), transaction() as session:
            session.get_one(ChatMessage, late.id).created_at = now - timedelta(seconds=age)
            session.get_one(ChatMessage, sent.id).published_at = now - timedelta(
                seconds=1 if others_go_out else 20
            )
        assert bool(named(app, "chat_unpublished")) is is_named, (age, others_go_out)


def test_the_payment_api(app: Flask, settings: dict[str, str], simulator: Simulator) -> None:
    with app.app_context():
        app.config["PEMBAYARAN_API_URL"] = f"http://127.0.0.1:{any_free()}"
        api_probe.probe()
        assert ("api_unreachable", "warning") in codes(examine(app))
        assert "sambungan ditolak" in wait_finding(app, "api_unreachable")["message"]
        app.config["PEMBAYARAN_API_URL"] = "http://tidak-ada.invalid"
        assert api_probe.probe().why == "nama servernya tidak dikenal"
        app.config["PEMBAYARAN_API_URL"] = simulator.url
        assert api_probe.probe().ok
        assert not {code for code, _ in codes(examine(app))} & {"api_unreachable", "api_refused"}


@pytest.mark.parametrize(
    ("status", "ok", "refused"),
    [
        (200, True, False),
        (404, True, False),
        (400, True, False),
        (429, True, False),
        (401, False, True),
        (403, False, True),
        (500, False, False),
        (302, False, False),
    ],
)
def test_what_the_api_answers(app: Flask, status: int, ok: bool, refused: bool) -> None:
    with RawApi({"": raw("x", status=f"{status} X")}) as api, app.app_context():
        app.config["PEMBAYARAN_API_URL"] = api.url
        found = api_probe.probe()
        assert (found.ok, found.refused, api_probe.last()) == (ok, refused, found)
    assert ("api_refused" in str(examine(app))) is refused


@pytest.mark.parametrize(("status", "refused"), [("404", False), ("403", True)])
def test_an_api_that_refuses_an_unknown_student_is_asked_for_a_known_one(
    app: Flask, status: str, refused: bool
) -> None:
    """Some APIs answer 403 for a student that they do not know, although our token is good."""
    answers = {"": raw("x", status="403 X"), "/payments/9": raw("x", status=f"{status} X")}
    with RawApi(answers) as api, app.app_context():
        app.config["PEMBAYARAN_API_URL"] = api.url
        with transaction() as session:
            session.add(Siswa(idperson="9", nama="Sembilan"))
        found = api_probe.probe()
    assert (found.ok, found.refused) == (not refused, refused)
    assert ("api_refused" in str(examine(app))) is refused


def test_a_server_that_does_not_speak_http_is_no_payment_api(app: Flask) -> None:
    with RawApi({"": b"SSH-2.0-OpenSSH_9.2\r\n"}) as api, app.app_context():
        app.config["PEMBAYARAN_API_URL"] = api.url
        found = api_probe.probe()
    assert (found.ok, found.why) == (False, "bukan jawaban HTTP yang sah")
    assert wait_finding(app, "api_unreachable")


def test_a_probe_of_a_newer_version_is_read(app: Flask, valkey: redis.Redis) -> None:
    found = api_probe.Probe("http://api", ok=False, refused=True, why="HTTP 401")
    valkey.set(api_probe.KEY, json.dumps({**asdict(found), "of_a_newer_version": 1}))
    with app.app_context():
        assert api_probe.last() == found


def test_a_full_disk(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(total=10**12, free=10**9)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    assert wait_finding(app, "disk_full")["level"] == "warning"
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10**8))
    assert wait_finding(app, "disk_full")["level"] == "broken"


def test_failed_jobs(app: Flask, start: Callable[..., Program]) -> None:
    with app.app_context():
        enqueue("myukm.jobs.presence.broadcast_online_status", 1, 2)
    start("rq", "worker", "default", "--burst").child.wait(30)
    found = wait_finding(app, "jobs_failed")
    assert found["message"].startswith("1 pekerjaan di antrian default gagal")
    assert "TypeError" in found["message"]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ([(1, 0), (200_001, 0)], False),
        ([(1, 0), (250_001, 0)], True),
        ([(1, 25)], False),
        ([(1, 27)], True),
    ],
)
def test_an_event_log_that_nobody_prunes(
    app: Flask, rows: list[tuple[int, int]], found: bool
) -> None:
    """`rows` are event numbers (`seq`) and ages in hours. Real numbers have no gap, so the doctor
    counts by the oldest and the newest number, and two rows stand for many."""
    event = {"topic": "sync", "type": "sync.log", "data": "{}"}
    with app.app_context(), transaction() as session:
        for seq, hours in rows:
            session.add(Event(seq=seq, at=utcnow() - timedelta(hours=hours), **event))
        session.execute(update(EventCounter).values(value=rows[-1][0]))
    assert (("event_log_large", "warning") in codes(examine(app))) is found


def test_a_machine_with_another_secret_key(app: Flask, valkey: redis.Redis) -> None:
    with app.app_context():
        other = replace(host_reports.own(), secret="another")
        valkey.hset(host_reports.KEY, "web2", json.dumps(asdict(other)))
        assert ["web2" in finding.message for finding in host.secret_keys()] == [True]
        gone = replace(other, at=other.at - 2 * host_reports.STALE_SECONDS)
        valkey.hset(host_reports.KEY, "web2", json.dumps(asdict(gone)))
        wait_until(lambda: list(host.secret_keys()) == [], 30, "its report is forgotten")
        host_reports.HostReporter().run()
        assert list(valkey.hkeys(host_reports.KEY)) == [socket.gethostname().encode()]


def test_two_machines_with_other_secret_keys_are_both_reported(
    app: Flask, valkey: redis.Redis
) -> None:
    with app.app_context():
        for name in ("web2", "web3"):
            other = replace(host_reports.own(), secret=f"another of {name}")
            valkey.hset(host_reports.KEY, name, json.dumps(asdict(other)))
        assert {finding.host for finding in causes(list(host.secret_keys()))} == {"web2", "web3"}


def test_sentinels_that_do_not_answer(settings: dict[str, str]) -> None:
    url = f"sentinel://:secret@127.0.0.1:{any_free()}/kampus/0"
    app = create_app(config.load({**settings, "REDIS_URL": url}))
    found = {finding["code"]: finding for finding in examine(app)["findings"]}
    assert {"valkey_unreachable", "sentinel_silent"} <= found.keys()
    assert found["sentinel_silent"]["level"] == "broken"
    assert "secret" not in str(found)
