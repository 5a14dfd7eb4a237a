"""Compares this machine's clock with the database's, and lets the doctor know when it is off."""

import json
import socket
import time
from typing import cast

from myukm.db import clock
from myukm.db.types import utcnow
from myukm.extensions import db, valkey

CHECK_SECONDS, FORGET_SECONDS = 10.0, 60.0
# Seconds: from the first on the doctor reports it, over the second a process does not lead.
NOTABLE, TOO_MUCH = 2.0, 30.0
KEY = "myukm:clock_skew"


class ClockCheck:
    """Measures the database's clock every ten seconds and publishes this host's difference."""

    def __init__(self) -> None:
        self._next = 0.0

    def run(self) -> None:
        """Measure; does nothing if the last time is less than ten seconds ago."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + CHECK_SECONDS
        with db.engine.connect() as connection:
            clock.measure(connection.connection.dbapi_connection, db.engine.dialect.name)
        if abs(clock.skew()) >= NOTABLE:
            entry = json.dumps([round(clock.skew(), 1), utcnow().timestamp()])
            valkey().hset(KEY, socket.gethostname(), entry)


def hosts_off() -> dict[str, float]:
    """Return by how many seconds the clock of each host that is off is ahead."""
    oldest = utcnow().timestamp() - FORGET_SECONDS
    entries = cast(dict[bytes, bytes], valkey().hgetall(KEY))
    told = {host.decode(): json.loads(entry) for host, entry in entries.items()}
    own = {socket.gethostname(): clock.skew()}
    found = own | {host: skew for host, (skew, at) in told.items() if at > oldest}
    return {host: skew for host, skew in found.items() if abs(skew) >= NOTABLE}
