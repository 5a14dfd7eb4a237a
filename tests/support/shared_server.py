"""One database server for all processes of a test run, with a migrated database to clone.

The process that needs the server first starts it. A server ends with the process that started it,
so that process waits at its end until no other one uses the server.
"""

import fcntl
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Generic, TypeVar

from tests.support.servers import DatabaseServer, open_folder

S = TypeVar("S", bound=DatabaseServer)


class SharedServer(Generic[S]):
    """The run's server of one `kind`; `folder` is the same for all processes of the run.

    `migrate` creates the tables in the database at a URL; it is called once, for the template.
    """

    def __init__(self, kind: type[S], folder: Path, migrate: Callable[[str], None]) -> None:
        self._owned = ExitStack()
        self._port = folder / f"{kind.__name__}.port"
        self._users = (folder / f"{kind.__name__}.users").open("w")
        with (folder / f"{kind.__name__}.start").open("w") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            fcntl.flock(self._users, fcntl.LOCK_SH)  # waits for an owner that is just ending
            if self._port.exists():
                self.server = kind.at(int(self._port.read_text()))
                assert self.server.answers(), f"the test process with {kind.__name__} was killed"
            else:
                self.server = kind(self._owned.enter_context(open_folder()))
                self._owned.enter_context(self.server)
                migrate(self.server.make_template())
                self._port.write_text(str(self.server.port))
                self._owned.callback(self._withdraw)

    def _withdraw(self) -> None:
        """Wait until no other process uses the server, then remove it from the folder."""
        fcntl.flock(self._users, fcntl.LOCK_EX)
        self._port.unlink()

    def close(self) -> None:
        """Stop using the server; its owner ends it once the others do not use it either."""
        self._owned.close()
        self._users.close()
