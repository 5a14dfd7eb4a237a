"""Probes of the payment API: in a thread, twice a minute at most, and none during a run."""

import socket
import threading
import time

from flask import Flask

from myukm.db.session import transaction
from myukm.models import SyncRun
from myukm.ops.api_probe import PeriodicProbe, last, probe_unless_known
from tests.support.raw_api import RawApi, raw


def wait_for_probes() -> None:
    for thread in threading.enumerate():
        if thread.name == "probe":
            thread.join(30)


def test_a_second_probe_within_the_interval_is_skipped(app: Flask) -> None:
    threads: list[int] = []
    prober = PeriodicProbe(lambda: threads.append(threading.get_ident()))
    with app.app_context():
        for _ in range(2):
            prober.run()
            wait_for_probes()
    assert len(threads) == 1
    assert threads != [threading.get_ident()], "it runs in a thread of its own"


def test_no_probe_is_sent_during_a_run(app: Flask) -> None:
    sent: list[str] = []
    prober = PeriodicProbe(lambda: sent.append("probe"))
    with app.app_context():
        with transaction() as session:
            session.add(run := SyncRun(live=1, status="running"))
        prober.run()
        wait_for_probes()
        assert sent == []
        with transaction() as session:
            session.delete(run)
        prober.run()
        wait_for_probes()
    assert sent == ["probe"]


def test_a_silent_api_does_not_hold_up_a_probe_with_a_limit(app: Flask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app.config["PEMBAYARAN_API_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with app.app_context():
            began = time.monotonic()
            probe_unless_known(0.1)
            assert time.monotonic() - began < 10


def test_the_doctor_sends_no_probe_during_a_run(app: Flask) -> None:
    with RawApi({"": raw("", status="404 X")}) as api, app.app_context():
        app.config["PEMBAYARAN_API_URL"] = api.url
        with transaction() as session:
            session.add(run := SyncRun(live=1, status="running"))
        probe_unless_known(30)
        assert (api.heads, last()) == ([], None)
        with transaction() as session:
            session.delete(run)
        probe_unless_known(30)
        assert len(api.heads) == 1
        assert last()
