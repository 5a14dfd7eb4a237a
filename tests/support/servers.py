"""Real database servers for tests, started in a temporary folder."""

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from tests.support.waiting import wait_until

ROOT_USER = os.geteuid() == 0
TEMPLATE = "migrated"


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that a server's own account can reach: pytest closes its folders to others."""
    with tempfile.TemporaryDirectory(prefix="myukm-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def need(program: str | None, package: str) -> str:
    """Return the program's path; without it skip the test and name the package, or fail in CI."""
    if program:
        return program
    reason = f"not installed: apt install {package}"
    if os.environ.get("MYUKM_TEST_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)


class DatabaseServer:
    """A database server under `folder`; if we are root it runs as its own account."""

    account = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        if ROOT_USER:
            for path in (folder, self.data):
                shutil.chown(path, self.account, self.account)
            for parent in list(folder.parents)[:-1]:
                parent.chmod(parent.stat().st_mode | 0o011)
        self.prepare()
        self.port = any_free()
        self.start()

    @classmethod
    def at(cls, port: int) -> Self:
        """Return the server that another process started on this port."""
        server = cls.__new__(cls)
        server.port = port
        return server

    def prepare(self) -> None:
        """Make the data folder."""
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return the server's command line."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Return whether a connection can be made."""
        raise NotImplementedError

    def start(self) -> None:
        """Start (again) and wait until it answers."""
        # Output goes to a file, because a server blocks once a pipe that nobody reads is full.
        redirected = ["sh", "-c", 'exec "$@" >>"$0" 2>&1', str(self.folder / "server.log")]
        self.child = ManagedProcess([*redirected, *self.as_account(self.command())])
        wait_until(lambda: self.answers() or self.ended(), 30, f"{type(self).__name__} answers")

    def ended(self) -> bool:
        """Raise AssertionError with the server's log if it has ended; otherwise return False."""
        assert self.child.running(), (self.folder / "server.log").read_text()
        return False

    def url(self, database: str) -> str:
        """Return a database's address."""
        raise NotImplementedError

    def execute(self, sql: str) -> None:
        """Execute one or more statements as the superuser."""
        raise NotImplementedError

    def fresh_database(self) -> str:
        """Return the address of a new empty database."""
        return self.url(self._create())

    def make_template(self) -> str:
        """Return the address of a new empty database that `migrated_database` will clone."""
        self.execute(f"CREATE DATABASE {TEMPLATE}")
        return self.url(TEMPLATE)

    def migrated_database(self) -> str:
        """Return the address of a new database with the template's tables and rows."""
        raise NotImplementedError

    def _create(self, how: str = "") -> str:
        name = f"t{secrets.token_hex(4)}"
        self.execute(f"CREATE DATABASE {name} {how}")
        return name

    def as_account(self, argv: list[str]) -> list[str]:
        """Return the command that runs `argv` as the server's account, if we are root."""
        return (
            [
                "setpriv",
                f"--reuid={self.account}",
                f"--regid={self.account}",
                "--clear-groups",
                *argv,
            ]
            if ROOT_USER
            else argv
        )

    def run_once(self, argv: list[str]) -> None:
        """Run a command as the server's account; AssertionError with its output if it fails."""
        done = subprocess.run(
            self.as_account(argv), check=False, capture_output=True, text=True, cwd=self.folder
        )
        assert done.returncode == 0, done.stderr + done.stdout

    def kill(self) -> None:
        """Kill it, as in a crash."""
        self.child.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stop(5)
