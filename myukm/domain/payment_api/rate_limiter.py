"""A rate limiter shared by all workers: it reserves send times in Valkey."""

import asyncio
import math
from collections import deque

import redis.asyncio
from redis.exceptions import RedisError

AHEAD_SECONDS = 0.1
SLOT_KEY = "myukm:api:slot"

# Valkey stores the time (µs, its own clock) of the next free slot. A reservation returns the wait
# until then and moves it on by its width. After the clock was set back it starts at now.
RESERVE_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = tonumber(redis.call('GET', KEYS[1]) or 0)
local width = tonumber(ARGV[1])
if free < now or free > now + width * 1000 then free = now end
local after = free + width
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return free - now
"""


class RateLimiter:
    """Spreads requests evenly, `rps` per second over all workers (None: unlimited).

    Without Valkey each of `workers` takes its share.
    """

    def __init__(self, valkey: redis.asyncio.Redis, rps: float | None) -> None:
        self._valkey, self._rps = valkey, rps
        self._slots: deque[float] = deque()
        self._next_own = 0.0
        self._lock = asyncio.Lock()
        self.workers = 1

    async def acquire(self) -> None:
        """Return when the next request may go out."""
        if self._rps is None:
            return
        async with self._lock:
            if not self._slots:
                await self._reserve(self._rps)
            wait = self._slots.popleft() - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, wait))

    async def _reserve(self, rps: float) -> None:
        """Get the next moments: as many as fit in a tenth of a second, at least one."""
        count = max(1, math.floor(rps * AHEAD_SECONDS))
        now = asyncio.get_running_loop().time()
        try:
            width = math.ceil(count / rps * 1e6)
            first = now + int(await self._valkey.eval(RESERVE_SCRIPT, 1, SLOT_KEY, width)) / 1e6
            step = 1 / rps
        except RedisError:
            step = self.workers / rps
            first = max(now, self._next_own)
            self._next_own = first + count * step
        self._slots.extend(first + step * number for number in range(count))
