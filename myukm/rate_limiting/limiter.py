"""Rate limits, shared by all web processes.

Every attempt is counted before it runs, so that no more concurrent attempts than the limit run. An
attempt that need not count (a right password) is given back afterwards. Known libraries either run
the attempt first and count it later, or never give it back, so we count ourselves.

Valkey counts for all processes (`SCRIPT` is atomic). Before that each process counts in memory
(`local_log.py`), which keeps a flood away from Valkey. While Valkey does not answer, or
answers with an error, each process allows its share of the limit.
"""

import math
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple, cast

from flask import Flask, current_app
from flask_babel import lazy_gettext as _
from redis.exceptions import RedisError

from myukm.errors import DomainError, TooFast
from myukm.extensions import valkey
from myukm.rate_limiting.local_log import Claim, Count, Limit, RateLog

# Arguments: the attempt's id, then per key amount, period, first wait, longest wait (times in ms).
# Without a first wait the period slides. With a first wait no attempt expires before the latest
# attempt, and waits double from the first to the longest. Returns the wait (ms), then each key's
# count.
SCRIPT = """
local time = redis.call('TIME')
local now, wait, counts = time[1] * 1000 + math.floor(time[2] / 1000), 0, {}
local function arguments(i)
  return unpack({tonumber(ARGV[4*i-2]), tonumber(ARGV[4*i-1]), tonumber(ARGV[4*i]),
    tonumber(ARGV[4*i+1])})
end
for i, key in ipairs(KEYS) do
  local amount, period, first, longest = arguments(i)
  if first == 0 then redis.call('ZREMRANGEBYSCORE', key, '-inf', now - period) end
  redis.call('ZREMRANGEBYSCORE', key, now + 1000, '+inf') -- the clock was set back
  counts[i] = redis.call('ZCARD', key)
  if counts[i] >= amount then
    local free
    if first == 0 then
      free = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2] + period
    else
      free = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2]
        + math.min(first * 2 ^ (counts[i] - amount), longest)
    end
    wait = math.max(wait, free - now)
  end
end
if wait <= 0 then
  for i, key in ipairs(KEYS) do
    local _, period = arguments(i)
    redis.call('ZADD', key, now, ARGV[1])
    redis.call('PEXPIRE', key, period)
    counts[i] = counts[i] + 1
  end
end
return {wait, unpack(counts)}
"""


class Permit(NamedTuple):
    """An attempt that was counted: its claims, its random id, and the count of each claim
    (while Valkey is unreachable, of this process alone)."""

    claims: Sequence[Claim]
    attempt_id: str
    counts: Sequence[int]

    def give_back(self) -> None:
        """Remove the attempt from the counts."""
        _rate_log().remove(self.claims, self.attempt_id)
        try:
            with valkey().pipeline(transaction=False) as pipe:
                for claim in self.claims:
                    pipe.zrem(claim.key, self.attempt_id)
                pipe.execute()
        except RedisError:
            pass  # it counts until it expires

    def uses_up(self, limit: Limit) -> bool:
        """Return whether this was the last attempt that `limit` allows without waiting."""
        pairs = zip(self.claims, self.counts, strict=True)
        return any(c.limit is limit and count == limit.amount for c, count in pairs)


def init_app(app: Flask) -> None:
    """Create the app's Valkey script and this process's rate log."""
    app.extensions["rate_log"] = RateLog()
    app.extensions["rate_script"] = app.extensions["valkey"].register_script(SCRIPT)


@contextmanager
def attempt(
    *claims: Claim, wrong: type[DomainError] | tuple[type[DomainError], ...]
) -> Iterator[Permit]:
    """Count an attempt before the block runs. Raises `TooFast` without running it.

    The attempt stays counted if the block raises `wrong` or an unexpected error. A success, or
    another `DomainError`, gives it back.
    """
    permit = acquire(*claims)
    try:
        yield permit
    except DomainError as error:
        if not isinstance(error, wrong):
            permit.give_back()
        raise
    permit.give_back()


def acquire(*claims: Claim) -> Permit:
    """Count an attempt against every claim. If one of them has to wait, count against no claim and
    raise `TooFast`."""
    attempt_id = secrets.token_hex(8)
    local = _rate_log().add(claims, attempt_id)
    if local.wait:
        raise _too_fast(local.wait)
    shared = _count_in_valkey(claims, attempt_id) or local
    if shared.wait:
        _rate_log().remove(claims, attempt_id)
        raise _too_fast(shared.wait)
    return Permit(claims, attempt_id, shared.counts)


def _count_in_valkey(claims: Sequence[Claim], attempt_id: str) -> Count | None:
    """Count in Valkey. While Valkey is unreachable, return None for an attempt within the share of
    this process, else the wait."""
    script = current_app.extensions["rate_script"]
    keys = [claim.key for claim in claims]
    limits = chain.from_iterable(claim.limit.in_ms() for claim in claims)
    try:
        answer = script(keys, [attempt_id, *limits], client=valkey())
    except RedisError:
        wait = _rate_log().beyond_share(
            claims, attempt_id, current_app.config.get("WEB_PROCESSES", 1)
        )
        return Count(wait, ()) if wait else None
    return Count(answer[0] / 1000, answer[1:])


def _rate_log() -> RateLog:
    return cast(RateLog, current_app.extensions["rate_log"])


def _too_fast(wait: float) -> TooFast:
    seconds, minutes = math.ceil(wait), math.ceil(wait / 60)  # not earlier than it is allowed
    text = (
        _("Terlalu banyak percobaan. Coba lagi dalam %(n)d detik.", n=seconds)
        if seconds < 100
        else _("Terlalu banyak percobaan. Coba lagi dalam %(n)d menit.", n=minutes)
    )
    return TooFast(text, code="too_many_requests", retry_after=seconds)
