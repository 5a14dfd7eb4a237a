"""Each finding says how many people it affects now, where it is, and whether it ends by itself."""

import os
import socket
from collections.abc import Callable

import pytest
import redis
import requests
from flask import Flask

import config
from devtools.ports import any_free
from myukm import create_app
from myukm.domain.sync import commands, dispatching
from myukm.ops import api_probe, process_registry
from tests.ops.findings.test_more_findings import send_heartbeat
from tests.ops.test_doctor import named, queue_old_jobs, wait_finding
from tests.support import sync
from tests.support.programs import WebServer
from tests.support.relay import Relay
from tests.support.sse import StreamReader
from tests.support.sync import TREASURER
from tests.support.waiting import wait_until


def test_a_slow_server_affects_everyone_with_an_open_page(
    settings: dict[str, str],
    web: WebServer,
    session_as: Callable[[str], requests.Session],
    valkey: redis.Redis,
) -> None:
    readers = [StreamReader(web.url, session_as(who)) for who in ("member", "friend")]
    with Relay(valkey.connection_pool.connection_kwargs["port"]) as relay:
        url = f"redis://127.0.0.1:{relay.port}/0"
        far = create_app(config.load({**settings, "REDIS_URL": url}))
        relay.delay = 0.08

        def effects() -> list[str]:
            return [each["effect"] for each in named(far, "valkey_slow")]

        two = ["mengenai 2 orang, perlu tindakan"]
        wait_until(lambda: effects() == two, 30, "both are counted")
        for reader in readers:
            reader.close()
        wait_until(lambda: affected(far, "valkey_slow") == 0, 30, "they left")


def affected(app: Flask, code: str) -> int | None:
    found = named(app, code)
    return found[0]["people"] if found else None


def test_a_queue_affects_everyone_who_waits_in_it(app: Flask, valkey: redis.Redis) -> None:
    assert wait_finding(app, "no_worker")["effect"] == "belum mengenai siapa pun, perlu tindakan"
    queue_old_jobs(app, valkey, 2)
    assert wait_finding(app, "no_worker")["people"] == 2


def test_a_waiting_run_affects_its_students(app: Flask) -> None:
    with app.app_context():
        sync.create_students(3)
        dispatching.dispatch(commands.start(TREASURER)["run_id"])
    wait_until(
        lambda: wait_finding(app, "no_worker")["people"] == 3, 30, "the students are counted"
    )


def test_a_finding_that_ends_by_itself_says_so(app: Flask) -> None:
    with app.app_context():
        app.config["PEMBAYARAN_API_URL"] = f"http://127.0.0.1:{any_free()}"
        api_probe.probe()
    found = wait_finding(app, "api_unreachable")
    assert (found["heals"], found["people"]) == (True, 0)
    assert found["effect"] == "belum mengenai siapa pun, pulih sendiri"


def test_a_finding_names_its_host(app: Flask) -> None:
    for _ in range(7):
        send_heartbeat(app)
    found = wait_finding(app, "process_restarts")
    assert (found["host"], found["pid"]) == (socket.gethostname(), None)


def test_a_finding_about_one_process_names_its_id(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_registry, "descriptors_used", lambda: 0.9)
    send_heartbeat(app)
    found = wait_finding(app, "descriptors")
    assert (found["host"], found["pid"]) == (socket.gethostname(), os.getpid())
