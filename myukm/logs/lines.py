"""The form of a log line: fields, JSON text, or text for people."""

import json
import logging
import multiprocessing
import os
import socket
from datetime import UTC, datetime
from typing import Any

HOST = socket.gethostname()
# A line in Valkey takes at most some 5 kB, so all 10,000 lines take at most some 50 MB.
MAX_MESSAGE_CHARACTERS, MAX_TRACE_CHARACTERS = 1000, 4000
SECURITY = "myukm.security"


def process_name(kind: str) -> str:
    """Return the name of this process in log lines: `kind`, or the part of `worker.py` that it
    runs."""
    name = multiprocessing.current_process().name
    return kind if name == "MainProcess" else name


def fields(record: logging.LogRecord, kind: str) -> dict[str, Any]:
    """Return the fields of a record's line; `kind` is the program that logs (web, worker, rq)."""
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    line = {
        "at": at.replace("+00:00", "Z"),
        "level": record.levelname,
        "logger": record.name,
        "process": process_name(kind),
        "host": HOST,
        "pid": os.getpid(),
        "message": _encodable(record.getMessage()[:MAX_MESSAGE_CHARACTERS]),
        **getattr(record, "context", {}),
    }
    if record.exc_text:
        line["trace"] = _encodable(record.exc_text[-MAX_TRACE_CHARACTERS:])
    return line


def _encodable(text: str) -> str:
    """Return `text` with its lone surrogates, which UTF-8 cannot encode, as escapes (`\\ud83d`)."""
    return text.encode(errors="backslashreplace").decode()


class JsonFormatter(logging.Formatter):
    """One JSON object per line."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return json.dumps(fields(record, self._kind), ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """Time, level, process, logger, message, and in brackets the context (request, job, run).

    The security log has a form of its own, which filters such as fail2ban rely on.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's own name)
        """Return the line without its traceback."""
        at = self.formatTime(record)
        if record.name == SECURITY:
            return f"{at} {record.name} {record.getMessage()}"
        process = process_name(self._kind)
        about = " ".join(
            f"{name}={value}" for name, value in getattr(record, "context", {}).items()
        )
        line = f"{at} {record.levelname} {process} {record.name}: {record.getMessage()}"
        return f"{line} [{about}]" if about else line
