"""What may interrupt a job from outside: its time-out, and servers that are away."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rq.timeouts import JobTimeoutException
from sqlalchemy.exc import SQLAlchemyError

from myukm.db.away import is_away
from myukm.valkey_clients import VALKEY_DOWN

ASK_AGAIN_SECONDS = 0.05

logger = logging.getLogger(__name__)


@contextmanager
def end_quietly_when_away() -> Iterator[None]:
    """End a job that a server's absence, a lock or its time-out interrupted, without an error.

    The work is a row of the database, and a periodic task queues another job for it. As failures
    these jobs would be reported for an hour, and kept for a week, after each short outage.
    """
    try:
        yield
    except (SQLAlchemyError, JobTimeoutException, *VALKEY_DOWN) as error:
        if isinstance(error, SQLAlchemyError) and not is_away(error):
            raise
        logger.warning("job ended early: %s", getattr(error, "orig", None) or error)


@contextmanager
def no_time_out_inside_the_database() -> Iterator[None]:
    """Let RQ's time-out of a job wait for the end of the statement that it meets.

    Raised inside the driver it would leave the connection in the middle of that statement, and
    whoever uses it next gets `another command is already in progress`.
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
            signal.setitimer(signal.ITIMER_REAL, ASK_AGAIN_SECONDS)
        else:
            handler(number, frame)

    return handle


def _in_database(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("sqlalchemy."):
            return True
        frame = frame.f_back
    return False
