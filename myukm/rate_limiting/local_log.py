"""The in-memory counts of one process; see `limiter.py`."""

import hashlib
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from myukm.backoff import backoff

SWEEP_AT = 1000


class Limit(NamedTuple):
    """`amount` attempts in any `seconds`.

    With `first_wait` it bounds slow guessing: the count is reset after `seconds` without an
    attempt; beyond `amount`, each attempt has to wait, first `first_wait` seconds, then twice as
    long each time, up to `longest_wait`.
    """

    name: str
    amount: int
    seconds: int
    first_wait: int = 0
    longest_wait: int = 0

    def in_ms(self) -> tuple[int, ...]:
        """Return amount, period, first wait and longest wait, with times in ms."""
        times = (1000 * time for time in (self.seconds, self.first_wait, self.longest_wait))
        return (self.amount, *times)

    def live(self, log: dict[str, float], now: float) -> dict[str, float]:
        """Return the attempts of `log` that have not expired."""
        young = {hit: at for hit, at in log.items() if at > now - self.seconds}
        return log if young and self.first_wait else young

    def wait(self, hits: Sequence[float], now: float) -> float:
        """Return the seconds until another attempt is allowed after these `hits`."""
        if len(hits) < self.amount:
            return 0.0
        if not self.first_wait:
            return hits[0] + self.seconds - now
        pause = backoff(self.first_wait, self.longest_wait, len(hits) - self.amount)
        return max(0.0, hits[-1] + pause - now)


class Claim(NamedTuple):
    """A limit and a key for whom it counts; the key has a fixed length whatever was typed."""

    limit: Limit
    key: str


def claim(limit: Limit, *whom: str) -> Claim:
    """Return the claim of `limit` for the person or address named by `whom`."""
    name = "\0".join(whom).encode(errors="replace")
    return Claim(limit, f"limit:{limit.name}:{hashlib.blake2b(name, digest_size=16).hexdigest()}")


class Count(NamedTuple):
    """The seconds to wait (0: the attempt was counted), and the attempts of each claim."""

    wait: float
    counts: Sequence[int]


class RateLog:
    """This process's attempts by key, oldest first; expired ones are removed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Limit, dict[str, float]]] = {}
        self._sweep_at = SWEEP_AT

    def add(self, claims: Sequence[Claim], hit: str) -> Count:
        """Count an attempt against every claim, or against none if one of them has to wait."""
        with self._lock:
            now = time.monotonic()
            self._sweep(now)
            logs = [self._live(claim, now) for claim in claims]
            waits = [
                claim.limit.wait(list(log.values()), now)
                for claim, log in zip(claims, logs, strict=True)
            ]
            if not any(waits):
                for claim, log in zip(claims, logs, strict=True):
                    log[hit] = now
                    self._kept[claim.key] = (claim.limit, log)
            return Count(max(waits), [len(log) for log in logs])

    def remove(self, claims: Sequence[Claim], hit: str) -> None:
        """Remove an attempt from the counts."""
        with self._lock:
            for claim in claims:
                _, log = self._kept.get(claim.key, (claim.limit, {}))
                log.pop(hit, None)
                if not log:
                    self._kept.pop(claim.key, None)

    def beyond_share(self, claims: Sequence[Claim], hit: str, processes: int) -> float:
        """Return the seconds to wait if the attempt exceeds one process's share of the limit."""
        with self._lock:
            for claim in claims:
                _, log = self._kept[claim.key]
                share = max(1, claim.limit.amount // processes)
                if not claim.limit.first_wait and list(log).index(hit) >= share:
                    return float(claim.limit.seconds)
        return 0.0

    def _live(self, claim: Claim, now: float) -> dict[str, float]:
        _, log = self._kept.get(claim.key, (claim.limit, {}))
        return claim.limit.live(log, now)

    def _sweep(self, now: float) -> None:
        """Delete keys without live attempts, each time the number of keys has doubled."""
        if len(self._kept) < self._sweep_at:
            return
        live = ((key, limit, limit.live(log, now)) for key, (limit, log) in self._kept.items())
        self._kept = {key: (limit, log) for key, limit, log in live if log}
        self._sweep_at = max(SWEEP_AT, 2 * len(self._kept))
