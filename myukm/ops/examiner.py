"""Runs the doctor's checks with deadlines, because the servers that they query may hang."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask import Flask
from redis.exceptions import RedisError

from myukm.db.availability import is_unavailable
from myukm.db.engine import POOL_SECONDS
from myukm.extensions import db
from myukm.ops.findings import BROKEN, Finding

# Longer than the wait for a connection, so that a check that gets none reports this itself.
CHECK_SECONDS, TICK_SECONDS = POOL_SECONDS + 0.5, 0.1

Check = Callable[[], Iterator[Finding]]
FindingsByCheck = Mapping[Check, Sequence[Finding]]

logger = logging.getLogger(__name__)


@dataclass
class RunningCheck:
    """The check that runs now, and for how many seconds it was waited for."""

    check: Check
    seconds: float = 0.0


class Examiner:
    """Runs the checks of one server one after another in a thread, so that a server that hangs
    costs one thread and one connection.

    `hangs` returns the finding about a check that does not return, `crashes` the one about a check
    with an error of its own. `first_decides`: the first check is whether the server answers at all.
    If it finds that the server does not answer, the other checks are left out, because they would
    fail, too. `failed` are the checks that ended with an error, so nobody knows what they would
    find.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        hangs: Callable[[Check], Finding],
        crashes: Callable[[Check, Exception], Finding],
        *,
        first_decides: bool = True,
    ) -> None:
        self._checks, self._hangs, self._crashes = checks, hangs, crashes
        self.failed: frozenset[Check] = frozenset()
        self._decisive = checks[0] if first_decides else None
        self._found: dict[Check, Sequence[Finding]] = {}
        self._running = RunningCheck(checks[0])
        self._idle = threading.Event()
        self._idle.set()
        self._reached_end = False

    def start(self, app: Flask) -> None:
        """Begin an examination, unless the last one is still running."""
        if self._idle.is_set():
            self._idle.clear()
            self._running = RunningCheck(self._checks[0])
            thread = threading.Thread(target=self._examine, args=(app,), name="doctor")
            thread.daemon = True
            try:
                thread.start()
            except RuntimeError:  # this process may have no more threads: the next call tries again
                self._idle.set()
                raise

    def findings(self, deadline: float) -> FindingsByCheck:
        """Return what each check found.

        Waits until the examination ends, one of its checks has taken `CHECK_SECONDS`, or `deadline`
        (monotonic seconds). At the deadline, a check that has not ended has its previous findings.
        A tick adds at most twice `TICK_SECONDS` to a check's time, because on an overloaded machine
        the waiting thread sleeps too long, and every check would seem to hang.
        """
        while not self._idle.is_set():
            running = self._running
            if running.seconds >= CHECK_SECONDS:
                return self._with_hang(running.check)
            if (began := time.monotonic()) >= deadline:
                break
            self._idle.wait(TICK_SECONDS)
            running.seconds += min(time.monotonic() - began, 2 * TICK_SECONDS)
        return dict(self._found)

    def _with_hang(self, check: Check) -> FindingsByCheck:
        """Return the finding about a check that hangs, and what the checks before it found."""
        before = self._checks[: self._checks.index(check)]
        return {check: [self._hangs(check)], **{each: self._found.get(each, ()) for each in before}}

    @property
    def is_complete(self) -> bool:
        """Whether the last examination has ended and ran every check."""
        return self._idle.is_set() and self._reached_end

    def _examine(self, app: Flask) -> None:
        try:
            with app.app_context():
                self._run_checks()
        finally:
            self._idle.set()

    def _run_checks(self) -> None:
        self._reached_end = False
        for check in self._checks:
            self._running = RunningCheck(check)
            self._found[check] = self._run(check)
            if check is self._decisive and any(f.level == BROKEN for f in self._found[check]):
                self._found = {check: self._found[check]}
                return
        self._reached_end = True

    def _run(self, check: Check) -> Sequence[Finding]:
        """Return what a check finds. If it fails because a server does not work, nothing, because
        the first check of that server reports it."""
        try:
            found = list(check())
        except Exception as error:  # a mistake in one check must not silence the others
            self.failed |= {check}
            db.session.rollback()
            if _is_fault_of_server(error):
                logger.debug("%s: %s", check.__name__, error)
                return ()
            logger.exception("check %s", check.__name__)
            return [self._crashes(check, error)]
        self.failed -= {check}
        return found


def _is_fault_of_server(error: Exception) -> bool:
    """Return whether Valkey or the database does not work. False if the check itself is wrong, as
    one that sends a statement which the database does not understand."""
    return isinstance(error, RedisError) or is_unavailable(error)
