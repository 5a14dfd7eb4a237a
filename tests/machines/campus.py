"""A campus on several machines: proxy, two web servers, a worker, database, Valkey, payment API."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import flask_migrate
import redis
import requests
from flask import Flask

import config
from devtools.simulator.client import Simulator
from devtools.valkey import Valkey, start_valkey
from myukm import create_app
from tests.machines.network import Host, Network
from tests.support import people
from tests.support.nginx import site_before
from tests.support.postgresql import PostgreSQL
from tests.support.programs import SECRET, Program
from tests.support.waiting import wait_until

WEBS, PORT = ("web1", "web2"), 5000


class OpenPostgreSQL(PostgreSQL):
    """A PostgreSQL that other machines can reach."""

    def prepare(self) -> None:
        super().prepare()
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all 10.77.0.0/24 trust\n")

    def command(self) -> list[str]:
        return ["0.0.0.0" if word == "127.0.0.1" else word for word in super().command()]


def open_valkey(host: Host, folder: Path) -> Valkey:
    """Start a Valkey that other machines can reach."""
    with host.inside():
        server = start_valkey(folder / host.name, 6379)
        with redis.Redis(port=server.port) as client:
            client.config_set("protected-mode", "no")
            client.config_set("bind", "0.0.0.0")
    return server


class Machines:
    """The machines and the programs on them; `url` is the proxy's."""

    def __init__(self, folder: Path, *more: str) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self._count = 0
        self.network = Network("db", "kv", "api", "lb", *WEBS, "w1", *more)
        self._stack.callback(self.network.remove)
        self.hosts = self.network.hosts
        self.programs: dict[str, Program] = {}

    def start(self, valkey_url: str = "") -> Self:
        """Start everything."""
        database = self._start_servers(valkey_url)
        self.env = {
            "DATABASE_URL": database,
            "REDIS_URL": valkey_url or f"redis://{self.hosts['kv'].address}/0",
            "PEMBAYARAN_API_URL": self.api.url,
            "PUBLIC_URL": "https://ukm.example.ac.id",
            "TRUSTED_PROXIES": "1",
            "SECRET_KEY": SECRET,
            "MYUKM_BIND": f"0.0.0.0:{PORT}",
            "WEB_CONCURRENCY": "1",
        }
        self.app = self._migrated()
        for name in WEBS:
            self.start_web(name)
        self.start_worker("w1")
        with self.hosts["lb"].inside():
            addresses = [f"{self.hosts[name].address}:{PORT}" for name in WEBS]
            (self.folder / "lb").mkdir()
            site = site_before(self.folder / "lb", *addresses, host=self.hosts["lb"].address)
            self.url = self._stack.enter_context(site)
        for name in WEBS:
            self.wait_ready(name)
        return self

    def _start_servers(self, valkey_url: str) -> str:
        with self.hosts["db"].inside():
            (self.folder / "db").mkdir()
            self.database = self._stack.enter_context(OpenPostgreSQL(self.folder / "db"))
            url = self.database.fresh_database()
        self._stack.callback(self.database.kill)  # a normal stop would wait for silent hosts
        if not valkey_url:
            self.valkey = self._stack.enter_context(open_valkey(self.hosts["kv"], self.folder))
        with self.hosts["api"].inside():
            self.api = Simulator(host=self.hosts["api"].address, students=300)
            self._stack.callback(self.api.stop)
        return url.replace("127.0.0.1", self.hosts["db"].address)

    def _migrated(self) -> Flask:
        app = create_app(config.load(self.env))
        with app.app_context():
            flask_migrate.upgrade()
            self.people = people.create_accounts()
        self._stack.callback(app.extensions["valkey"].connection_pool.disconnect)
        return app

    def start_web(self, name: str) -> None:
        """Start the web server of a machine."""
        self.programs[name] = self._start(name, "gunicorn", "wsgi:app")

    def start_worker(self, name: str, **env: str) -> None:
        """Start the workers of a machine."""
        self.programs[name] = self._start(name, "python", "worker.py", **env)

    def _start(self, name: str, *argv: str, fork: bool = True, **env: str) -> Program:
        self._count += 1
        log = self.folder / f"{name}-{self._count}.log"
        with self.hosts[name].inside():
            program = Program(log, self.env | env, *argv, fork=fork)
        self._stack.callback(program.kill)
        return program

    def start_with_wrong_clock(self, name: str, seconds: int, *argv: str) -> None:
        """Start a program on a machine whose clock is off."""
        wrong = ("python", "-m", "tests.faults.wrong_clock", str(seconds))
        self.programs[name] = self._start(name, *wrong, *argv, fork=False)

    def run_on(self, name: str, *code: str) -> Program:
        """Run lines of Python, with this campus's settings, on a machine."""
        return self._start(name, "python", "-c", "\n".join(code), fork=False)

    def wait_ready(self, name: str) -> None:
        """Wait until a web server says that it is ready."""
        url = f"http://{self.hosts[name].address}:{PORT}/readyz"
        wait_until(lambda: answers(url), 40, f"{name} is ready")

    def log_in(self, who: str) -> requests.Session:
        """Return a logged-in session through the proxy."""
        session = requests.Session()
        session.verify, session.trust_env = str(self.folder / "lb/fullchain.pem"), False
        session.headers["Host"] = "ukm.example.ac.id"
        body = {"nim": people.NAMES[who][0], "password": people.PASSWORD}
        answer = session.post(f"{self.url}/login", json=body, timeout=20)
        assert answer.status_code == 200, answer.text
        for cookie in session.cookies:
            cookie.secure = False
        return session

    def logs(self) -> str:
        """Return the ends of all logs."""
        parts = sorted(self.folder.glob("*.log"), key=os.path.getmtime)
        return "\n".join(f"== {path.name}\n{path.read_text()[-2000:]}" for path in parts)

    def stop(self) -> None:
        """End everything."""
        self._stack.close()


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=3).ok
    except requests.RequestException:
        return False
