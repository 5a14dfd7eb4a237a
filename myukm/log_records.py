"""Every log line of the process: without a secret of our addresses, and one line for one record.

An address or a header with line ends in it forges no second line.
"""

import logging
import traceback
from typing import Any

from myukm.addresses import hide


class Record(logging.LogRecord):
    """A record whose message and trace hold no secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.exc_info and self.exc_info[0]:
            self.exc_text = hide("".join(traceback.format_exception(*self.exc_info)).rstrip())

    def getMessage(self) -> str:  # noqa: N802 (logging's own name for it)
        """Return the message."""
        return hide(super().getMessage())


class OneLine(Record):
    """A record whose message has every sign that does not print as an escape."""

    def getMessage(self) -> str:  # noqa: N802 (logging's own name for it)
        """Return the message as one line."""
        message = super().getMessage()
        return message if message.isprintable() else "".join(map(_shown, message))


def _shown(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


def _record(name: str, *args: Any, **more: Any) -> logging.LogRecord:
    """Return a record. RQ's keep their lines: traces, and nothing that a request carried."""
    return (Record if name.startswith("rq.") else OneLine)(name, *args, **more)


def init_app() -> None:
    """Have all loggers of this process write such lines: ours, Flask's, gunicorn's and RQ's."""
    logging.setLogRecordFactory(_record)
