"""Files of the program: only its own account may read them, and no file is left half written."""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

# Modes: only the owner may use a folder or a file.
FOLDER, FILE = 0o700, 0o600


def keep_private(instance: Path) -> None:
    """Set the umask so that new files are private, whatever the caller's umask was.

    If an older version created the instance folder with wider permissions, the folder and its
    content are restricted. Errors are ignored, each for its own file: another account's file cannot
    be changed, and a database's file may be gone by then.
    """
    os.umask(0o077)
    with contextlib.suppress(OSError):
        instance.mkdir(exist_ok=True)
        if instance.stat().st_mode & 0o077:
            instance.chmod(FOLDER)
            for path in instance.rglob("*"):
                _restrict(path)


def _restrict(path: Path) -> None:
    with contextlib.suppress(OSError):
        if not path.is_symlink():
            path.chmod(FOLDER if path.is_dir() else FILE)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Yield a private file that replaces `path` when the block ends without an error.

    After an error `path` is as before. Raises OSError when the file cannot be written.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
