"""A paused queue is one warning with actor and cure, and causes no other finding."""

import shlex
from typing import Any

import redis
from flask import Flask

from devtools.simulator.client import Simulator
from myukm.db.session import transaction
from myukm.domain import queue_pauses
from myukm.domain.actor import Actor
from myukm.domain.sync import commands, progress
from myukm.models import Siswa
from tests.ops.test_doctor import examine, named, queue_old_jobs, wait_finding, workers
from tests.support.programs import Program
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until

__all__ = ["workers"]
SOMEBODY = Actor("Siti Rahma")


def pause(app: Flask, queue: str) -> None:
    with app.app_context():
        queue_pauses.pause(SOMEBODY, queue)


def test_a_paused_queue_is_named_with_its_actor_and_its_cure(
    app: Flask, workers: Program, valkey: redis.Redis
) -> None:
    pause(app, "high")
    queue_old_jobs(app, valkey, 3)
    report = examine(app)
    [finding] = report["findings"]
    assert (finding["code"], finding["level"]) == ("queue_paused", "warning")
    assert finding["message"] == (
        "Antrian high dijeda oleh Siti Rahma; 3 pekerjaan menunggu. "
        "Pesan obrolan tetap sampai, hanya sedetik lebih lambat."
    )
    assert finding["since"]
    typed = shlex.split(finding["cure"].removeprefix("Jalankan: "))
    assert typed[0] == "./run"
    assert app.test_cli_runner().invoke(args=typed[1:]).exit_code == 0
    assert named(app, "queue_paused") == []


def test_a_paused_queue_needs_no_worker(app: Flask, valkey: redis.Redis) -> None:
    pause(app, "high")
    queue_old_jobs(app, valkey, 3)
    finding = wait_finding(app, "no_worker")
    assert finding["level"] == "warning"
    assert "high" not in finding["message"].split(".")[0]


def test_a_run_that_waits_for_a_paused_queue_says_so(
    app: Flask, workers: Program, simulator: Simulator
) -> None:
    app.config["PEMBAYARAN_API_URL"] = simulator.url
    pause(app, "sync-pembayaran")
    with app.app_context():
        with transaction() as session:
            session.add(Siswa(idperson="1", nama="Siti"))
        commands.start(TREASURER)

    def progress_now() -> dict[str, Any]:
        with app.app_context():
            return dict(progress.current())

    stalled = wait_until(lambda: (now := progress_now())["stalled"] and now, 30, "it stalls")
    assert stalled["reason_code"] == "queue_paused"
    assert stalled["reason"] == "antrian sync-pembayaran dijeda"
    report = examine(app)
    assert [each["code"] for each in report["findings"]] == ["queue_paused"]
    with app.app_context():
        queue_pauses.resume(SOMEBODY, "sync-pembayaran")
    wait_until(lambda: progress_now()["status"] == "completed", 30, "it goes on")
