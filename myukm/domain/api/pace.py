"""One budget of requests per second for all workers, handed out as moments."""

import asyncio
import math
from collections import deque

import redis.asyncio
from redis.exceptions import RedisError

AHEAD_SECONDS = 0.1
SLOT = "myukm:api:slot"

# Valkey keeps the moment (µs, its own clock) when the next request is free. Who asks gets the
# wait until then and moves it on by what was asked for. A clock that was set back starts it anew.
RESERVE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local free = tonumber(redis.call('GET', KEYS[1]) or 0)
local width = tonumber(ARGV[1])
if free < now or free > now + width * 1000 then free = now end
local after = free + width
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return free - now
"""


class Pace:
    """Spreads requests evenly, `rps` a second over all workers (None: as fast as they come).

    Without Valkey each of `workers` takes its share.
    """

    def __init__(self, valkey: redis.asyncio.Redis, rps: float | None) -> None:
        self._valkey, self._rps = valkey, rps
        self._slots: deque[float] = deque()
        self._next_own = 0.0
        self._turn = asyncio.Lock()
        self.workers = 1

    async def slot(self) -> None:
        """Return when the next request may go out."""
        if self._rps is None:
            return
        async with self._turn:
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
            first = now + int(await self._valkey.eval(RESERVE, 1, SLOT, width)) / 1e6
            step = 1 / rps
        except RedisError:
            step = self.workers / rps
            first = max(now, self._next_own)
            self._next_own = first + count * step
        self._slots.extend(first + step * number for number in range(count))
