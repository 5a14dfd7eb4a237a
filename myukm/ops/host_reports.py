"""Each host reports its clock and a digest of its SECRET_KEY, so that the doctor finds hosts that
differ."""

import hmac
import json
import socket
import time
from dataclasses import asdict, dataclass
from typing import cast

import msgspec
from flask import current_app

from myukm.cache import ttl_cache
from myukm.db import clock
from myukm.db.types import utcnow
from myukm.extensions import db, valkey

REPORT_SECONDS, STALE_SECONDS = 10.0, 60.0
# How far a host's clock may differ from the database's before the doctor warns, and before a
# process of that host is unfit to lead.
WARN_SKEW_SECONDS, MAX_SKEW_SECONDS = 2.0, 30.0
KEY = "myukm:hosts"


@dataclass(frozen=True)
class HostReport:
    """One host: `skew` is by how many seconds its clock is ahead of the database's, `secret` a
    digest of its SECRET_KEY, `at` the time of the report (seconds since 1970)."""

    skew: float
    secret: str
    at: float

    def is_old(self) -> bool:
        """Return whether the report is older than `STALE_SECONDS`."""
        return self.at <= utcnow().timestamp() - STALE_SECONDS


class HostReporter:
    """Measures the database's clock every ten seconds and publishes this host's report."""

    def __init__(self) -> None:
        self._next = 0.0

    def run(self) -> None:
        """Publish a report, unless the last one is less than ten seconds ago."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + REPORT_SECONDS
        with db.engine.connect() as connection:
            clock.measure(connection.connection.dbapi_connection, db.engine.dialect.name)
        valkey().hset(KEY, socket.gethostname(), json.dumps(asdict(own())))
        if gone := [host for host, report in _all().items() if report.is_old()]:
            valkey().hdel(KEY, *gone)  # of machines that no longer exist


def own() -> HostReport:
    """Return this host's report."""
    key = current_app.config["SECRET_KEY"].encode()
    secret = hmac.digest(key, b"the same on every machine", "sha256").hex()[:16]
    return HostReport(round(clock.skew(), 1), secret, utcnow().timestamp())


@ttl_cache(1.0)
def latest() -> dict[str, HostReport]:
    """Return the reports of the last minute by host name. This host's is always among them."""
    found = {socket.gethostname(): own()}
    return found | {host: report for host, report in _all().items() if not report.is_old()}


def _all() -> dict[str, HostReport]:
    entries = cast(dict[bytes, bytes], valkey().hgetall(KEY))
    return {
        host.decode(): msgspec.json.decode(entry, type=HostReport)
        for host, entry in entries.items()
    }
