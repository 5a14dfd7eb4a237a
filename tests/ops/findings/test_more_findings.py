"""Findings about Valkey's state, processes, and settings that production must not have."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from flask import Flask

import config
from devtools.ports import any_free
from devtools.valkey import start_valkey
from myukm import create_app
from myukm.db.session import transaction
from myukm.domain.accounts.passwords import hash_password
from myukm.logs import redaction
from myukm.models import User
from myukm.ops import process_registry
from myukm.ops.findings import valkey_state, workers
from myukm.ops.process_registry import ProcessHeartbeat
from myukm.queues.restricted_job import RestrictedJob
from tests.ops.findings.test_cures import commands
from tests.ops.test_doctor import examine, named, wait_finding


@pytest.fixture
def forgetful(valkey: redis.Redis) -> Iterator[redis.Redis]:
    valkey.config_set("appendonly", "no")
    yield valkey
    valkey.config_set("appendonly", "yes")


def test_valkey_that_stores_nothing(app: Flask, forgetful: redis.Redis) -> None:
    assert "appendonly yes" in wait_finding(app, "valkey_not_persistent")["cure"]
    forgetful.config_set("save", "3600 1")
    assert "valkey_not_persistent" not in str(examine(app))
    forgetful.config_set("save", "")


def test_valkey_that_is_slow(
    app: Flask, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey_state, "SLOW_SECONDS", 0.0)
    assert wait_finding(app, "valkey_slow")["level"] == "warning"


def test_valkey_that_restarts_again_and_again(settings: dict[str, str], tmp_path: Path) -> None:
    port = any_free()
    url = f"redis://127.0.0.1:{port}/0"
    app = create_app(config.load({**settings, "REDIS_URL": url}))
    for restarts in range(4):
        with start_valkey(tmp_path / "own", port):
            assert ("valkey_restarts" in str(examine(app))) is (restarts == 3)


def send_heartbeat(app: Flask) -> None:
    with app.app_context():
        ProcessHeartbeat().run()


def test_no_web_process_lives(app: Flask, valkey: redis.Redis) -> None:
    assert "no_web" not in str(examine(app)), "none was started yet"
    send_heartbeat(app)
    assert "no_web" not in str(examine(app))
    valkey.delete(process_registry.KEY)
    assert "./run web" in wait_finding(app, "no_web")["cure"]


def test_processes_that_start_again_and_again(app: Flask) -> None:
    for _ in range(6):
        send_heartbeat(app)
    assert "process_restarts" not in str(examine(app)), "a restart of everything"
    send_heartbeat(app)
    assert "7 kali" in wait_finding(app, "process_restarts")["message"]


def test_a_process_that_runs_out_of_descriptors(app: Flask) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    send_heartbeat(app)
    assert "descriptors" not in str(examine(app))
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 3, hard))
    try:
        send_heartbeat(app)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert str(os.getpid()) in wait_finding(app, "descriptors")["message"]


@pytest.fixture
def production(app: Flask, settings: dict[str, str]) -> Flask:
    needed = {"MYUKM_ENV": "production", "PEMBAYARAN_API_URL": "http://127.0.0.1:9"}
    needed |= {"PUBLIC_URL": "https://ukm.kampus.example"}
    return create_app(config.load({**settings, **needed, "SECRET_KEY": "ab" * 20}))


def test_a_secret_that_can_be_guessed(app: Flask, production: Flask) -> None:
    redaction.register_secrets({"SMTP_URL": "smtp://x:secret@h"})  # the code contains "secret"
    assert wait_finding(production, "weak_secret")["level"] == "broken"
    random_digits = "83f8ea31c03eaf8130cce8a1f033ce18"  # 8 of 16 different ones, as may happen
    for strong in (app.config["SECRET_KEY"], random_digits):
        production.config["SECRET_KEY"] = strong
        assert "weak_secret" not in str(examine(production))


def test_accounts_of_the_demo(app: Flask, production: Flask) -> None:
    with app.app_context(), transaction() as session:
        for nim, role, password in (
            ("1001", "admin", "demo-admin"),
            ("1002", "bendahara", "sesuatu yang lain"),
        ):
            account = {"nim": nim, "name": "x", "role": role}
            session.add(User(**account, password_hash=hash_password(password)))
    found = wait_finding(production, "demo_accounts")
    assert found["message"].endswith(": 1001.")
    assert "demo_accounts" not in str(examine(app)), "the demo itself"
    [change] = commands(found["cure"])
    new = "sandi yang panjang dan lain\n"
    done = production.test_cli_runner().invoke(args=change, input=2 * new)
    assert done.exit_code == 0, done.output
    assert not named(production, "demo_accounts")


def test_a_damaged_job_hides_no_other_that_hangs(
    app: Flask, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = "2026-01-01T00:00:00.000000Z"
    jobs = {"no time": ("now", "1"), "no limit": (long_ago, "1s"), "hung": (long_ago, "1")}
    for job, (started, timeout) in jobs.items():
        valkey.hset(RestrictedJob.key_for(job), mapping={"started_at": started, "timeout": timeout})
    busy = [
        SimpleNamespace(alive=True, job_id=job, name=job, host="h", pid=7, ours=False)
        for job in jobs
    ]
    monkeypatch.setattr(workers, "snapshot", lambda: SimpleNamespace(workers=busy))
    with app.app_context():
        assert [each.subject for each in workers.hung()] == ["hung"]
