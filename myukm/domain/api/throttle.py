"""The care for the payment API that all workers share: Retry-After, the breaker, the budget.

What one worker learns goes to the others by Valkey, as keys that expire, so no clocks have to
agree. Without Valkey each worker acts on what it sees itself.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Self

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from myukm.domain.api.api_state import DOWN, PROBE, WAIT
from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.pace import Pace
from myukm.domain.api.tasks import end

SHARE_SECONDS = 0.25
PROBE_SECONDS, DOWN_SECONDS = 5.0, 15.0
WINDOW, MOST_DOWN = 20, 10

log = logging.getLogger(__name__)


class Throttle:
    """Says when the API may be asked. Used as `async with Throttle(settings) as throttle`.

    `openings` counts how often the breaker opened: who was asked for under another count was hit
    by an API that was going down.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._valkey = redis.asyncio.Redis.from_url(
            settings["REDIS_URL"],
            socket_connect_timeout=0.25,
            socket_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
        )
        self.pace = Pace(self._valkey, settings["PEMBAYARAN_API_RPS"])
        self.openings = self.reports = 0
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._closed = asyncio.Event()
        self._closed.set()
        self._shared = False
        self._held_until = self._next_probe = 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self._look()
        self._start(self._keep_looking())
        return self

    async def __aexit__(self, *_: object) -> None:
        await end(self._tasks)
        await self._valkey.aclose()

    @property
    def is_open(self) -> bool:
        """Whether the API counts as down: only probes may ask."""
        return not self._closed.is_set()

    @property
    def wait(self) -> float:
        """The seconds until the API wants to be asked again."""
        return max(0.0, self._held_until - asyncio.get_running_loop().time())

    async def ready(self) -> None:
        """Return when the API may be asked, but for the budget."""
        while self.is_open or self.wait:
            await self._closed.wait()
            await asyncio.sleep(self.wait)

    async def grant(self) -> bool:
        """Wait for a place in the budget; False when the API may not be asked any more."""
        await self.pace.slot()
        return not (self.is_open or self.wait)

    async def may_probe(self) -> bool:
        """Return whether it is this worker's turn to try an API that is down."""
        now = asyncio.get_running_loop().time()
        if self.wait or now < self._next_probe:
            return False
        self._next_probe = now + PROBE_SECONDS
        try:
            taken = await self._valkey.set(PROBE, 1, nx=True, px=int(PROBE_SECONDS * 1000))
        except RedisError:
            return True
        if not taken:
            self._next_probe = now
        return bool(taken)

    def report(self, failure: Failure | None, openings: int, *, fresh: bool) -> None:
        """Learn from an answer (None: a good one) that was asked for under that many openings.

        Whether the API is down is judged by `fresh` students only: the last requests of a run
        are all retries, for students with whom something is wrong.
        """
        self.reports += 1
        if failure and failure.kind is Kind.WAIT:
            self._hold(failure.wait)
        if fresh and openings == self.openings and not self.is_open:
            self._recent.append(failure is not None and failure.down)
            if len(self._recent) == WINDOW and sum(self._recent) > MOST_DOWN:
                self._open(shared=False)

    def close(self) -> None:
        """Ask again: a probe was answered."""
        self._set_closed()
        self._start(self._tell(lambda: self._valkey.delete(DOWN)))

    def _open(self, *, shared: bool) -> None:
        log.warning("the payment API is down%s", ", says another worker" if shared else "")
        self.openings += 1
        self._shared = shared
        self._closed.clear()
        if not shared:
            self._start(self._announce())

    def _set_closed(self) -> None:
        self._recent.clear()
        self._closed.set()

    def _hold(self, seconds: float) -> None:
        if seconds <= self.wait + SHARE_SECONDS / 5:
            return
        self._held_until = asyncio.get_running_loop().time() + seconds
        self._start(self._tell(lambda: self._valkey.set(WAIT, 1, px=int(seconds * 1000))))

    async def _announce(self) -> None:
        life = int(DOWN_SECONDS * 1000)
        self._shared = await self._tell(lambda: self._valkey.set(DOWN, 1, px=life))

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            await self._look()

    async def _look(self) -> None:
        """Take over what the other workers know."""
        try:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.pttl(WAIT)
                pipe.exists(DOWN)
                if self.is_open:
                    pipe.pexpire(DOWN, int(DOWN_SECONDS * 1000))
                wait, down = (await pipe.execute())[:2]
        except RedisError:
            return
        self._held_until = max(self._held_until, asyncio.get_running_loop().time() + wait / 1000)
        if down and not self.is_open:
            self._open(shared=True)
        elif not down and self.is_open and self._shared:
            self._set_closed()

    async def _tell(self, command: Callable[[], Awaitable[Any]]) -> bool:
        try:
            await command()
        except RedisError as error:
            log.warning("the other workers do not hear of the API's state: %s", error)
            return False
        return True

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
