"""The whole program as processes that can be killed one by one, with one database."""

import os
import shutil
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import flask_migrate
import psutil
import requests

import config
from devtools.ports import any_free
from devtools.simulator.client import Simulator
from devtools.valkey import Valkey, start_valkey
from myukm import create_app
from tests.support import people
from tests.support.postgresql import PostgreSQL
from tests.support.programs import Program
from tests.support.waiting import wait_until


class Campus:
    """Valkey, payment API, database, web server and workers; each can be killed and restarted.

    `api` are options of the simulated payment API (`devtools/simulator/options.py`).
    """

    def __init__(self, folder: Path, postgresql: PostgreSQL | None = None, **api: object) -> None:
        self.folder, self.postgresql = folder, postgresql
        self._programs: list[Program] = []
        self.valkey_port, self.web_port = any_free(), any_free()
        self.valkey: Valkey = start_valkey(folder / "valkey", self.valkey_port)
        self.simulator = Simulator(**api)
        database = f"sqlite:///{folder}/campus.db"
        self.env = {
            "DATABASE_URL": postgresql.fresh_database() if postgresql else database,
            "REDIS_URL": self.valkey.url,
            "PEMBAYARAN_API_URL": self.simulator.url,
            "PEMBAYARAN_API_TIMEOUT": "5",
            "FILES_URL": f"file://{folder}/files",
            "SECRET_KEY": "a secret of the fault harness, long enough",
            "MYUKM_BIND": f"127.0.0.1:{self.web_port}",
            "WEB_CONCURRENCY": "2",
        }
        self.app = create_app(config.load(self.env))
        with self.app.app_context():
            flask_migrate.upgrade()
            self.people = people.create_accounts()
        self.url = f"http://127.0.0.1:{self.web_port}"
        self.web, self.worker = self.start_web(), self.start_worker()
        wait_until(self.web_answers, 120, "the web server answers")

    def start_web(self) -> Program:
        """Start gunicorn on this campus's port."""
        self.web = self._program("web", "gunicorn", "wsgi:app")
        return self.web

    def start_worker(self, *command: str) -> Program:
        """Start the workers: `worker.py`, or another command such as `rq worker`."""
        self.worker = self._program("worker", *(command or ("python", "worker.py")))
        return self.worker

    def web_answers(self) -> bool:
        """Return whether the web server answers."""
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def log_in(self, who: str) -> requests.Session:
        """Return a logged-in session of a person of `tests/support/people.py`."""
        session = requests.Session()
        login = {"nim": people.NAMES[who][0], "password": people.PASSWORD}
        assert session.post(f"{self.url}/login", json=login, timeout=10).status_code == 200
        return session

    def children(self, program: Program) -> list[psutil.Process]:
        """Return the living descendants of a program."""
        if not program.child.running():
            return []
        return psutil.Process(program.child.pid).children(recursive=True)

    def restart_valkey(self, wipe: bool) -> None:
        """Kill Valkey and start it again, with its data or without."""
        self.valkey.kill()
        if wipe:
            shutil.rmtree(self.folder / "valkey")
        self.valkey = start_valkey(self.folder / "valkey", self.valkey_port)

    def restart_database(self) -> None:
        """Kill PostgreSQL and start it again; SQLite has no server to kill."""
        if self.postgresql:
            self.postgresql.kill()
            self.postgresql.start()

    def logs(self) -> str:
        """Return the first error with its trace, and the end, of each log."""
        parts = sorted(self.folder.glob("*.log"), key=os.path.getmtime)
        return "\n".join(f"== {path.name}\n{_excerpt(path.read_text())}" for path in parts)

    def stop(self) -> None:
        """Stop everything."""
        for program in (self.web, self.worker):
            signal_all(self.children(program), signal.SIGCONT)
        for program in self._programs:
            program.kill()
        self.simulator.stop()
        self.valkey.stop()

    def _program(self, name: str, *argv: str) -> Program:
        log = self.folder / f"{name}-{len(self._programs) + 1}.log"
        self._programs.append(Program(log, self.env, *argv))
        return self._programs[-1]


def signal_all(processes: Iterable[psutil.Process], number: int) -> None:
    """Send a signal to processes, some of which may have ended."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def _excerpt(log: str) -> str:
    """Return the first error of a log with its trace, and the log's end."""
    error = log.find("Traceback")
    first = log[max(0, error - 500) :][:4000] if error >= 0 else ""
    return f"{first}\n[…]\n{log[-2000:]}"
