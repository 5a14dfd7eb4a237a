"""Logs an outage when it begins and when it ends, not at each failure, because without Valkey, for
example, a process may have hundreds of failures a second."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

AGAIN_SECONDS = 60.0


class Outage:
    """The outages of one operation, which `what` names in the lines of `logger`.

    While an outage lasts, it is logged every `again_seconds` with the number of failures so far.
    Threads may share one object; the number is then approximate.
    """

    def __init__(
        self, logger: logging.Logger, what: str, *, again_seconds: float = AGAIN_SECONDS
    ) -> None:
        self._logger, self._what, self._again = logger, what, again_seconds
        self._failures, self._since, self._logged_at = 0, 0.0, 0.0

    @contextmanager
    def survived(self) -> Iterator[None]:
        """Count an exception of the block and suppress it, for a thread that nothing restarts."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 (it is logged with its trace)
            self.failed(error, trace=True)
        else:
            self.worked()

    def failed(self, error: object, *, trace: bool = False) -> None:
        """Count a failure, and log the first one; `trace`: with the traceback of the exception that
        is being handled, for unexpected errors."""
        now = time.monotonic()
        self._failures += 1
        if self._failures == 1:
            self._since = self._logged_at = now
            shown = repr(error) if trace else error
            self._logger.warning("%s: %s", self._what, shown, exc_info=trace)
        elif now - self._logged_at >= self._again:
            self._logged_at = now
            so_far = f"({self._failures} failures so far)"
            self._logger.warning("%s: %s %s", self._what, error, so_far)

    def worked(self) -> None:
        """End the outage, if there is one."""
        if not self._failures:
            return
        failures, self._failures = self._failures, 0
        seconds = time.monotonic() - self._since
        self._logger.warning(
            "%s: works again after %.0f s (%d failures)", self._what, seconds, failures
        )
