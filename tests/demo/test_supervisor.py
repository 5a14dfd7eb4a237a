"""The demo as a user runs it: in a folder of its own, with all its processes."""

import contextlib
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from devtools.reaper import descendants
from tests.devtools.test_process_tree import wait_gone
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
FILES = ("config.py", "gunicorn.conf.py", "worker.py", "wsgi.py")
UNKNOWN_FILE = Path("00", "00", "0" * 64)
SETTINGS = ("DATABASE_URL", "REDIS_URL", "PEMBAYARAN_API_URL", "MYUKM_ENV", "MYUKM_LANG")


class Demo:
    """A demo that runs in `folder`; a file takes its output."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self._output = folder / "output.txt"
        env = {k: v for k, v in os.environ.items() if k not in SETTINGS} | environ
        with self._output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo"],
                cwd=folder,
                env=env,
                stdout=output,
                stderr=output,
                umask=0,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def url(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+", self.output)
        assert found, self.output
        return found[0]

    def wait_ready(self) -> "Demo":
        wait_until(lambda: "Ctrl-C" in self.output or self.process.poll() is not None, 200)
        assert self.process.poll() is None, self.output
        assert "siap" in self.output, self.output
        return self

    def pid_of(self, *words: str) -> int:
        """Return the process id of the program whose command line has all `words`."""
        return next(pid for pid in descendants(self.process.pid) if has_words(pid, words))


def has_words(pid: int, words: tuple[str, ...]) -> bool:
    """Return whether a program's command line has all `words`. That of its reaper, which has the
    program's words too, does not count."""
    with contextlib.suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
        return "reaper.py" not in line and all(word in line for word in words)
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("checkout"))


def checkout(folder: Path) -> Path:
    """Make `folder` a checkout with an `instance` of its own."""
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    for name in ("myukm", "devtools", "demo"):
        (folder / name).symlink_to(ROOT / name)
    old = folder / "instance" / "log" / "web.log.1"
    old.parent.mkdir(parents=True)
    old.write_text("of a version that left it open to everybody")
    for path, mode in ((old, 0o644), (old.parent, 0o755), (folder / "instance", 0o755)):
        path.chmod(mode)
    for files in ("files", "demo-files"):
        put_old_file(folder / "instance" / files)
    return folder


def put_old_file(files: Path) -> None:
    """Store a file of the chat that no row of the demo's database names, in the first shard."""
    old = files / UNKNOWN_FILE
    old.parent.mkdir(parents=True)
    old.write_text("of another database")
    os.utime(old, (0, 0))


@pytest.fixture(scope="module")
def valkeys_port_taken() -> Iterator[None]:
    """Port 6379 is taken: by this fixture, unless another program has it already."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            holder.bind(("127.0.0.1", 6379))
            holder.listen()
        yield


@pytest.fixture(scope="module")
def running(folder: Path, valkeys_port_taken: None) -> Iterator[Demo]:
    """One demo for all tests that leave it as they found it."""
    with ending(Demo(folder)) as demo:
        yield demo.wait_ready()


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """A demo of this test's own."""
    with ending(Demo(checkout(tmp_path))) as demo:
        yield demo


@contextlib.contextmanager
def ending(demo: Demo) -> Iterator[Demo]:
    with demo.process:
        try:
            yield demo
        finally:
            demo.process.terminate()


def test_log_ins_students_and_payment_api_are_ready(running: Demo, folder: Path):
    assert requests.get(f"{running.url}/readyz", timeout=15).status_code == 200
    logins = re.findall(r"^  (\w+) +(\d+) +(\S+)", running.output, re.MULTILINE)
    assert [role for role, _, _ in logins] == ["admin", "bendahara", "operator"] + ["anggota"] * 2
    for _, nim, password in logins:
        body = {"nim": nim, "password": password}
        assert requests.post(f"{running.url}/login", json=body, timeout=15).status_code == 200
    with contextlib.closing(sqlite3.connect(folder / "instance/demo.db")) as database:
        assert database.execute("SELECT count(*) FROM siswa WHERE active").fetchone() == (6102,)
    settings = dict(
        line.split("=", 1) for line in (folder / "instance/demo.env").read_text().splitlines()
    )
    assert f"export REDIS_URL={settings['REDIS_URL']}\n" in running.output
    roster = requests.get(f"{settings['PEMBAYARAN_API_URL']}/siswa", timeout=15).json()
    assert len(roster["data"]) == 6102


def test_only_the_account_that_runs_the_demo_may_read_its_files(running: Demo, folder: Path):
    """Even with umask 0, in a folder that an older version left open to everybody."""
    found = {folder / "instance", *(folder / "instance").rglob("*")}
    names = {path.name for path in found}
    assert {"secret_key", "demo.env", "demo.db", "demo.db-wal", "demo.db-shm"} <= names
    assert {"demo.lock", "valkey.lock", "web.log", "web.log.1", "prepare.log"} <= names
    assert [path.name for path in found if path.name.endswith(".aof")]
    modes = {path: path.stat().st_mode & 0o777 for path in found if not path.is_symlink()}
    assert {p: oct(m) for p, m in modes.items() if m != (0o700 if p.is_dir() else 0o600)} == {}


def test_files_of_an_installation_in_the_same_folder_are_kept(running: Demo, folder: Path):
    """The sweep deletes what no row of the database names, but in the demo's own folder alone."""
    wait_until(lambda: not (folder / "instance/demo-files" / UNKNOWN_FILE).exists(), 60, "a sweep")
    assert (folder / "instance/files" / UNKNOWN_FILE).exists()


def test_a_second_demo_in_the_folder_is_refused_in_one_line(running: Demo, folder: Path):
    second = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert f"PID {running.process.pid}, {running.url}" in second.stderr
    assert requests.get(f"{running.url}/readyz", timeout=15).status_code == 200


def test_every_killed_program_is_restarted(running: Demo):
    parts = [("valkey-server",), ("simulator",), ("worker.py",), ("gunicorn",)]
    for words in parts:
        died = running.pid_of(*words)
        os.kill(died, signal.SIGKILL)
        wait_gone(died)
        wait_until(
            lambda words=words: any(  # type: ignore[misc]
                has_words(p, words) for p in descendants(running.process.pid)
            )
        )
    wait_until(lambda: answers(f"{running.url}/readyz"), 60)
    assert running.output.count("dimulai lagi") == len(parts)


def answers(url: str) -> bool:
    with contextlib.suppress(requests.RequestException):
        return requests.get(url, timeout=15).status_code == 200
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_it_ends_it_leaves_no_process(demo: Demo, number: int):
    demo.wait_ready()
    family = list(descendants(demo.process.pid))
    assert len(family) >= 8
    demo.process.send_signal(number)
    status = demo.process.wait(120)
    wait_gone(*family)
    if number == signal.SIGKILL:
        return
    assert status == 0
    assert not (demo.folder / "instance/demo.env").exists()


def test_it_can_be_stopped_while_it_starts(demo: Demo):
    wait_until(lambda: "basis data" in demo.output)
    demo.process.send_signal(signal.SIGINT)
    family = list(descendants(demo.process.pid))
    assert demo.process.wait(120) == 0
    wait_gone(*family)


def test_a_wrong_setting_ends_it_with_one_line(tmp_path: Path):
    with ending(Demo(checkout(tmp_path), PEMBAYARAN_API_TRIES="many", MYUKM_LANG="en")) as demo:
        assert demo.process.wait(120) == 1
    assert "The database could not be prepared: myukm: PEMBAYARAN_API_TRIES: 'many'" in demo.output
