"""File permissions: only the program's own account may read what it stores."""

import contextlib
import os
from pathlib import Path

FOLDER, FILE = 0o700, 0o600


def keep_private(instance: Path) -> None:
    """Set the umask so that new files are private, whatever the caller's umask was.

    An instance folder of an older version is made private once, with all its content. A folder of
    another account is skipped, because we cannot read it anyway.
    """
    os.umask(0o077)
    with contextlib.suppress(OSError):
        instance.mkdir(exist_ok=True)
        if instance.stat().st_mode & 0o077:
            for path in instance.rglob("*"):
                if not path.is_symlink():
                    path.chmod(FOLDER if path.is_dir() else FILE)
            instance.chmod(FOLDER)
