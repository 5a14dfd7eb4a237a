"""The shared Valkey connection: when its breaker opens, and the errors while it is open."""

import socket
import subprocess
import sys
import time

import pytest
import redis
from flask import Flask

import config
from myukm import create_app
from myukm.extensions import valkey
from myukm.loop_lag import LoopLag, loop_lag
from tests.support.programs import ROOT
from tests.support.without_valkey import lose_valkey


def test_the_breaker_repeats_the_first_error(app: Flask) -> None:
    lose_valkey(app)
    said = []
    with app.app_context():
        for _ in range(3):
            with pytest.raises(redis.ConnectionError) as refused:
                valkey().ping()
            said.append(str(refused.value))
    assert said == [said[0]] * 3
    assert "127.0.0.1:1" in said[0]
    assert "refused" in said[0]


@pytest.mark.parametrize("busy", [True, False])
def test_a_time_out_opens_the_breaker_only_if_the_process_was_not_too_busy_itself(
    settings: dict[str, str], busy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop_lag, "_late_at", time.monotonic() + (60 if busy else -60))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        app = create_app(config.load({**settings, "REDIS_URL": url}))
        with app.app_context():
            with pytest.raises(redis.TimeoutError):
                valkey().ping()
            refused = redis.TimeoutError if busy else redis.ConnectionError
            with pytest.raises(refused):
                valkey().ping()


def test_a_busy_process_notices_that_it_is_late() -> None:
    watched = LoopLag()
    assert not watched.was_late()
    script = (
        "from gevent import monkey; monkey.patch_all()\n"
        "import time\n"
        "from myukm.loop_lag import LoopLag\n"
        "lag = LoopLag(); lag.start(); time.sleep(0.3)\n"
        "while lag.was_late(): time.sleep(0.1)\n"  # the machine may be busy
        "end = time.monotonic() + 0.4\n"
        "while time.monotonic() < end: pass\n"
        "late = lag.was_late(); time.sleep(0.05); still = lag.was_late()\n"
        "print(late, still)\n"
    )
    argv = [sys.executable, "-c", script]
    done = subprocess.run(argv, check=True, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.split() == ["True", "True"]
