"""Redacts every log record of the process, and prints each on one line.

A newline in a URL or a header must not forge a second log line.
"""

import logging
import traceback
from typing import Any

from myukm.logs import context
from myukm.logs.redaction import hide


class Record(logging.LogRecord):
    """A record whose message and traceback are redacted; `context` has the request, or the job and
    run, that it is about."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.context = context.current()
        if self.exc_info and self.exc_info[0]:
            self.exc_text = hide("".join(traceback.format_exception(*self.exc_info)).rstrip())

    def getMessage(self) -> str:  # noqa: N802 (logging's own name for it)
        """Return the message."""
        return hide(super().getMessage())


class OneLine(Record):
    """A record whose message escapes every unprintable character."""

    def getMessage(self) -> str:  # noqa: N802 (logging's own name for it)
        """Return the message as one line."""
        message = super().getMessage()
        return message if message.isprintable() else "".join(map(_escaped, message))


def _escaped(character: str) -> str:
    printable = character.isprintable()
    return character if printable else character.encode("unicode_escape").decode()


def _record(name: str, *args: Any, **more: Any) -> logging.LogRecord:
    """Return a record. RQ's messages may have several lines, because these are tracebacks and
    contain no data of requests."""
    return (Record if name.startswith("rq.") else OneLine)(name, *args, **more)


def init_app() -> None:
    """Install the record factory for all loggers of this process."""
    logging.setLogRecordFactory(_record)
