"""The in-memory counts of one process; see `limiter.py`."""

import hashlib
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

from myukm.backoff import backoff

PRUNE_AT_KEYS = 1000  # the least number of keys at which keys without attempts are deleted


class Limit(NamedTuple):
    """At most `amount` attempts in any period of `seconds`.

    With `first_wait` the limit also slows down long guessing: the count is reset only after
    `seconds` without an attempt. Each attempt beyond `amount` has to wait, the first one
    `first_wait` seconds, each next one twice as long, up to `longest_wait` seconds.
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

    def unexpired(self, log: dict[str, float], now: float) -> dict[str, float]:
        """Return the attempts of `log` (their times by id) that have not expired. With `first_wait`
        no attempt expires before the latest one."""
        recent = {attempt_id: at for attempt_id, at in log.items() if at > now - self.seconds}
        return log if recent and self.first_wait else recent

    def wait(self, times: Sequence[float], now: float) -> float:
        """Return the seconds until another attempt is allowed after attempts at these `times`."""
        beyond = len(times) - self.amount
        if beyond < 0:
            return 0.0
        if not self.first_wait:
            return times[beyond] + self.seconds - now
        pause = backoff(self.first_wait, self.longest_wait, beyond)
        return max(0.0, times[-1] + pause - now)


class Claim(NamedTuple):
    """A limit, and the key of the person or address whose attempts it counts. The key is a digest,
    so its length does not depend on user input."""

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
        self._attempts: dict[str, tuple[Limit, dict[str, float]]] = {}
        self._prune_at = PRUNE_AT_KEYS

    def add(self, claims: Sequence[Claim], attempt_id: str) -> Count:
        """Count an attempt against every claim, or against none if one of them has to wait."""
        with self._lock:
            now = time.monotonic()
            self._prune(now)
            logs = [self._unexpired(claim, now) for claim in claims]
            waits = [
                claim.limit.wait(list(log.values()), now)
                for claim, log in zip(claims, logs, strict=True)
            ]
            if not any(waits):
                for claim, log in zip(claims, logs, strict=True):
                    log[attempt_id] = now
                    self._attempts[claim.key] = (claim.limit, log)
            return Count(max(waits), [len(log) for log in logs])

    def remove(self, claims: Sequence[Claim], attempt_id: str) -> None:
        """Remove an attempt from the counts."""
        with self._lock:
            for claim in claims:
                _, log = self._attempts.get(claim.key, (claim.limit, {}))
                log.pop(attempt_id, None)
                if not log:
                    self._attempts.pop(claim.key, None)

    def beyond_share(self, claims: Sequence[Claim], attempt_id: str, processes: int) -> float:
        """Return the seconds to wait if the attempt exceeds one process's share of the limits."""
        waits = []
        with self._lock:
            now = time.monotonic()
            for limit, key in claims:
                _, log = self._attempts[key]
                earlier = list(log.values())[: list(log).index(attempt_id)]
                share = limit._replace(amount=max(1, limit.amount // processes))
                waits.append(share.wait(earlier, now))
        return max(waits, default=0.0)

    def _unexpired(self, claim: Claim, now: float) -> dict[str, float]:
        _, log = self._attempts.get(claim.key, (claim.limit, {}))
        return claim.limit.unexpired(log, now)

    def _prune(self, now: float) -> None:
        """Delete keys without unexpired attempts, each time the number of keys has doubled."""
        if len(self._attempts) < self._prune_at:
            return
        unexpired = (
            (key, limit, limit.unexpired(log, now)) for key, (limit, log) in self._attempts.items()
        )
        self._attempts = {key: (limit, log) for key, limit, log in unexpired if log}
        self._prune_at = max(PRUNE_AT_KEYS, 2 * len(self._attempts))
