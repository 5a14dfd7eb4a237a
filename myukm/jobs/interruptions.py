"""What interrupts a job from outside: its timeout, and servers that are away."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import SQLAlchemyError

from myukm.db.availability import is_unavailable
from myukm.valkey_clients import VALKEY_DOWN

RECHECK_SECONDS = 0.05

logger = logging.getLogger(__name__)


@contextmanager
def end_quietly_when_away() -> Iterator[None]:
    """End a job without an error if an absent server, a lock or its timeout interrupted it.

    The work is a row of the database, for which a periodic task queues another job. As failures,
    interrupted jobs would be reported for an hour and kept for a week after each short outage.
    """
    try:
        yield
    except (SQLAlchemyError, JobTimeoutException, *VALKEY_DOWN) as error:
        if isinstance(error, SQLAlchemyError) and not is_unavailable(error):
            raise
        logger.warning("job ended early: %s", getattr(error, "orig", None) or error)


@contextmanager
def no_time_out_inside_the_database() -> Iterator[None]:
    """Delay RQ's job timeout until the statement that is being executed has ended.

    Raised inside the driver, the timeout would leave the connection in the middle of the statement,
    and the connection's next use would fail with `another command is already in progress`.
    """
    handler: Any = signal.getsignal(signal.SIGALRM)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGALRM, _after_the_statement(handler))
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, handler)


def _after_the_statement(
    handler: Callable[[int, FrameType | None], object],
) -> Callable[[int, FrameType | None], None]:
    def handle(number: int, frame: FrameType | None) -> None:
        if _in_database(frame):
            signal.setitimer(signal.ITIMER_REAL, RECHECK_SECONDS)
        else:
            handler(number, frame)

    return handle


def _in_database(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("sqlalchemy."):
            return True
        frame = frame.f_back
    return False
