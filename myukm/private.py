"""What the program stores is its own account's alone: names, money, log-ins, keys."""

import contextlib
import os
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def keep_private(instance: Path) -> None:
    """Let this process make files that nobody else may open, whatever its caller's umask was.

    An instance folder from before this rule is closed once, with all that is in it. Who may not
    do that (another account's folder) goes on: it can't open what is in there either.
    """
    os.umask(0o077)
    with contextlib.suppress(OSError):
        instance.mkdir(exist_ok=True)
        if instance.stat().st_mode & 0o077:
            for path in instance.rglob("*"):
                if not path.is_symlink():
                    path.chmod(FOLDER if path.is_dir() else FILE)
            instance.chmod(FOLDER)
