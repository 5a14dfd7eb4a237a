"""Starts the program's real processes for tests, each with a log file."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import requests

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from tests.support.forked import ForkedProcess, can_fork
from tests.support.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
SECRET = "a secret of the tests, long enough to pass"
# A machine may name its bundle of certificates in these. Our programs call only the tests' servers,
# and reading the bundle would take longer than the rest of a start.
AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Program:
    """A running command of this environment, started in the project's root.

    With `fork`, our own commands start as forks of a process that has imported them already.
    """

    def __init__(
        self, log: Path, env: Mapping[str, str], *argv: str, cwd: Path = ROOT, fork: bool = True
    ) -> None:
        self.log = log
        inherited = dict(os.environ)
        if ours := can_fork(argv):
            inherited = {name: inherited[name] for name in inherited.keys() - AUTHORITIES}
        environment = {**inherited, "PATH": f"{BIN}:{os.environ['PATH']}", **env}
        self.child: ManagedProcess
        if fork and ours:
            self.child = ForkedProcess(argv, cwd, environment, log)
        else:
            redirected = ["sh", "-c", 'exec "$@" >>"$0" 2>&1', str(log), *argv]
            self.child = ManagedProcess(redirected, cwd=cwd, env=environment)

    def output(self) -> str:
        """Return what it printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """Kill -9 the whole process tree."""
        self.child.kill()

    def stop(self, timeout: float = 10.0) -> int:
        """Ask it to stop, kill what is left, return its exit status."""
        return self.child.stop(timeout)


class WebServer(Program):
    """gunicorn on a free port. The constructor returns when the server answers at `url`."""

    def __init__(
        self, log: Path, env: Mapping[str, str], workers: int = 1, app: str = "wsgi:app"
    ) -> None:
        port = any_free()
        self.url = f"http://127.0.0.1:{port}"
        bind = {"MYUKM_BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": str(workers)}
        super().__init__(log, {**env, **bind}, "gunicorn", app)
        try:
            wait_until(self._answers, 30, "gunicorn answers")
        except BaseException:
            self.kill()
            raise

    def _answers(self) -> bool:
        assert self.child.running(), self.output()
        try:
            return requests.get(f"{self.url}/login", timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False
