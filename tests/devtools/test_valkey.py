"""The embedded Valkey."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from devtools.valkey import start_valkey
from myukm.embedded_valkey import ValkeyError
from tests.devtools.test_process_tree import wait_gone


def test_it_keeps_every_write_and_evicts_nothing(tmp_path: Path):
    with start_valkey(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        for name, value in (
            ("appendonly", "yes"),
            ("maxmemory-policy", "noeviction"),
            ("save", ""),
        ):
            assert client.config_get(name) == {name: value}
        assert client.info("server")["process_id"] == server.pid


def test_a_folder_has_one_server(tmp_path: Path):
    with start_valkey(tmp_path) as server:
        with pytest.raises(ValkeyError, match="another Valkey is running"):
            start_valkey(tmp_path)
        assert server.running()
    with start_valkey(tmp_path):
        pass


def test_after_a_crash_it_starts_again_with_its_data_on_its_port(tmp_path: Path):
    server = start_valkey(tmp_path)
    with redis.Redis.from_url(server.url) as client:
        client.set("key", "kept")
        client.waitaof(1, 0, 5000)
    server.kill()
    wait_gone(server.pid)
    with start_valkey(tmp_path, server.port) as again, redis.Redis.from_url(again.url) as client:
        assert client.get("key") == b"kept"


def test_stop_saves_and_can_be_called_twice(tmp_path: Path):
    server = start_valkey(tmp_path)
    with redis.Redis.from_url(server.url) as client:
        client.set("key", "kept")
    server.stop()
    server.stop()
    assert not server.running()
    with start_valkey(tmp_path) as again, redis.Redis.from_url(again.url) as client:
        assert client.get("key") == b"kept"


def test_a_taken_port_is_reported_and_leaves_no_process(tmp_path: Path):
    with start_valkey(tmp_path / "first") as first:
        with pytest.raises(ValkeyError, match=str(first.port)):
            start_valkey(tmp_path / "second", first.port)
        with start_valkey(tmp_path / "second"):
            pass


def test_it_never_outlives_the_process_that_started_it(tmp_path: Path):
    code = (
        "import sys, time; from pathlib import Path; from devtools.valkey import start_valkey\n"
        "print(start_valkey(Path(sys.argv[1])).pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as owner:
        pid = int(owner.stdout.readline())
        os.kill(owner.pid, signal.SIGKILL)
    wait_gone(pid)
