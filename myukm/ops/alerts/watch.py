"""Chooses the one process that polls the doctor, for alerts and open pages. The poll runs in a
thread of its own, so that a hanging database does not delay it."""

import contextlib
import fcntl
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

import requests
from flask import Flask
from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.ops import doctor
from myukm.ops.alerts.handover import handover
from myukm.ops.alerts.monitor import AlertMonitor
from myukm.ops.findings import BROKEN
from myukm.ops.health_publisher import HealthPublisher

POLL_SECONDS, HEARTBEAT_SECONDS = 3.0, 60.0
KEY, LEASE_MILLISECONDS, VACANT_SECONDS = "myukm:alerts:watcher", 10_000, 10.0

logger = logging.getLogger(__name__)


class AlertWatch:
    """Polls every three seconds if this process holds the lease in Valkey. Without Valkey the
    leader polls; without Valkey and database, the process of each machine that holds a file lock.

    `leads` returns whether this process is the leader, None while the database does not answer.
    """

    def __init__(self, app: Flask, holder: str, leads: Callable[[], bool | None]) -> None:
        self._app, self._holder, self._leads = app, holder, leads
        self._monitor, self._health = AlertMonitor(), HealthPublisher()
        self._lock: IO[bytes] | None = None
        self._heartbeat_at = 0.0
        self._led = False
        self._free_since: float | None = None

    def run(self, stopped: threading.Event) -> None:
        """Poll until `stopped` is set."""
        while not stopped.wait(POLL_SECONDS):
            with self._app.app_context():
                try:
                    self.poll()
                except Exception:  # an error must not end the alerts
                    logger.exception("alerts")
        self.close()

    def close(self) -> None:
        """Release the file lock."""
        if self._lock:
            self._lock.close()
            self._lock = None

    def poll(self) -> None:
        """Poll once, if it is this process's turn."""
        if not self._is_watcher():
            self._monitor.reset()
            handover().release()
            self._health.reset()
            return
        self._monitor.evaluate()
        self._health.publish()
        self._send_heartbeat()

    def _is_watcher(self) -> bool:
        leads = self._leads()
        try:
            return self._holds_lease(leads)
        except RedisError:
            return self._holds_file_lock() if leads is None else leads

    def _holds_lease(self, leads: bool | None) -> bool:
        """Return whether this process holds the lease. The leader takes a free lease at once, other
        processes only if it has been free for `VACANT_SECONDS`."""
        holder, held = self._holder.encode(), valkey().get(KEY)
        had_led, self._led = self._led, bool(leads)
        if held == holder and had_led and leads is False:
            valkey().delete(KEY)
            return False
        if held is not None:
            self._free_since = None
            return held == holder and bool(valkey().pexpire(KEY, LEASE_MILLISECONDS))
        now = time.monotonic()
        self._free_since = self._free_since or now
        if leads is False and now - self._free_since < VACANT_SECONDS:
            return False
        return bool(valkey().set(KEY, holder, nx=True, px=LEASE_MILLISECONDS))

    def _holds_file_lock(self) -> bool:
        if self._lock is None:
            self._lock = (Path(self._app.instance_path) / "alerts.lock").open("wb")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _send_heartbeat(self) -> None:
        """Request `HEARTBEAT_URL` once a minute while nothing is broken."""
        url, now = self._app.config["HEARTBEAT_URL"], time.monotonic()
        if not url or now < self._heartbeat_at or doctor.report()["status"] == BROKEN:
            return
        self._heartbeat_at = now + HEARTBEAT_SECONDS
        threading.Thread(target=_request, args=(url,), name="heartbeat", daemon=True).start()


def _request(url: str) -> None:
    with contextlib.suppress(requests.RequestException):
        requests.get(url, timeout=10, allow_redirects=False)
