"""One record is one line: an address or a header with line ends in it forges no second one."""

import logging
from typing import Any


class OneLine(logging.LogRecord):
    """A record whose message has every sign that does not print as an escape."""

    def getMessage(self) -> str:  # noqa: N802 (logging's own name for it)
        """Return the message as one line."""
        message = super().getMessage()
        return message if message.isprintable() else "".join(map(_shown, message))


def _shown(sign: str) -> str:
    return sign if sign.isprintable() else sign.encode("unicode_escape").decode()


def _record(name: str, *args: Any, **more: Any) -> logging.LogRecord:
    """Return a record. RQ's are as they come: traces, and nothing that a request carried."""
    kind = logging.LogRecord if name.startswith("rq.") else OneLine
    return kind(name, *args, **more)


def init_app() -> None:
    """Have all loggers of this process write such lines: ours, Flask's and gunicorn's."""
    logging.setLogRecordFactory(_record)
