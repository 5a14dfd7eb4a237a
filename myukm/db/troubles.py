"""Recognizes what is wrong with a database from its errors, and remembers lasting faults."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.engine import ExceptionContext

READONLY, FULL, CORRUPT = "readonly", "full", "corrupt"
LOCKED, CONNECTIONS = "locked", "too_many_connections"
# Kinds that last until an operator acts, so the doctor also reports one that occurred lately.
LASTING = frozenset({READONLY, FULL, CORRUPT, CONNECTIONS})

_POSTGRESQL = {
    **{"25006": READONLY, "53100": FULL, "53300": CONNECTIONS, "55P03": LOCKED},
    **dict.fromkeys(("XX001", "XX002"), CORRUPT),
}
_MARIADB = {
    **dict.fromkeys((1290, 1792, 1836), READONLY),
    **dict.fromkeys((1021, 1114), FULL),
    **dict.fromkeys((1034, 1194, 1877), CORRUPT),
    **dict.fromkeys((1040, 1203, 1226), CONNECTIONS),
    1205: LOCKED,
}
# SQLite's primary result codes.
_SQLITE = {5: LOCKED, 6: LOCKED, 8: READONLY, 11: CORRUPT, 13: FULL, 26: CORRUPT}
# A refused connection has no error code, only a text.
_TEXTS = {
    "too many clients": CONNECTIONS,
    "too many connections": CONNECTIONS,
    "remaining connection slots": CONNECTIONS,
    "No space left on device": FULL,
}


def kind_of(error: BaseException) -> str | None:
    """Return the kind of an error of SQLAlchemy or the driver, such as `READONLY`; None for any
    other error."""
    cause: Any = getattr(error, "orig", None) or error
    number = next(iter(cause.args), None)
    kind = (
        _POSTGRESQL.get(getattr(cause, "sqlstate", None) or "")
        or _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
        or (_MARIADB.get(number) if isinstance(number, int) else None)
    )
    return kind or next((kind for text, kind in _TEXTS.items() if text in str(cause)), None)


def why(error: BaseException) -> str:
    """Return the text of a database error in one line of at most 200 characters."""
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200]


class Troubles:
    """The lasting errors that this process got, and the SQLite file that it opened, if any."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._first_inode: int | None = None
        self._errors: dict[str, tuple[float, str]] = {}

    def record_error(self, context: ExceptionContext) -> None:
        """Listener of `handle_error`."""
        kind = kind_of(context.original_exception)
        if kind in LASTING:
            self._errors[kind] = (time.monotonic(), why(context.original_exception))

    def recent(self, seconds: float) -> Mapping[str, str]:
        """Return the lasting kinds of the last `seconds`, each with its latest error."""
        since = time.monotonic() - seconds
        return {kind: text for kind, (at, text) in self._errors.items() if at > since}

    def record_file(self, *_: Any) -> None:
        """Listener of `connect`: record which file was opened first."""
        if self._first_inode is None:
            self._first_inode = self._current_inode()

    def file_was_replaced(self) -> bool:
        """Return whether the file that this process opened is deleted or replaced by another."""
        return self._first_inode is not None and self._current_inode() != self._first_inode

    def _current_inode(self) -> int | None:
        try:
            return self._path.stat().st_ino if self._path else None
        except OSError:
            return None
