"""The gate to the payment API, shared by all workers: Retry-After, circuit breaker, rate limit.

Workers share state through expiring Valkey keys, so no clocks have to agree. Without Valkey each
worker acts on its own observations."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Self

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.rate_limiter import RateLimiter
from myukm.domain.payment_api.shared_state import DOWN, PROBE, WAIT
from myukm.domain.payment_api.tasks import cancel_and_wait

SHARE_SECONDS = 0.25
PROBE_SECONDS, DOWN_SECONDS = 5.0, 15.0
WINDOW, MAX_DOWN = 20, 10

logger = logging.getLogger(__name__)


class ApiGate:
    """Decides when the API may be called. Used as `async with Throttle(settings) as throttle`.

    `breaker_generation` counts how often the breaker opened: a request sent under an earlier count
    hit an API that was going down."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._valkey = redis.asyncio.Redis.from_url(
            settings["REDIS_URL"],
            socket_connect_timeout=0.25,
            socket_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
        )
        self.rate_limiter = RateLimiter(self._valkey, settings["PEMBAYARAN_API_RPS"])
        self.breaker_generation = self.reports = 0
        self._recent: deque[bool] = deque(maxlen=WINDOW)
        self._closed = asyncio.Event()
        self._closed.set()
        self._shared = False
        self._blocked_until = self._next_probe = 0.0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> Self:
        await self._poll()
        self._start(self._poll_loop())
        return self

    async def __aexit__(self, *_: object) -> None:
        await cancel_and_wait(self._tasks)
        await self._valkey.aclose()

    @property
    def is_open(self) -> bool:
        """Whether the API counts as down: only probes may ask."""
        return not self._closed.is_set()

    @property
    def wait(self) -> float:
        """The seconds until the API wants to be asked again."""
        return max(0.0, self._blocked_until - asyncio.get_running_loop().time())

    async def wait_ready(self) -> None:
        """Return when the API may be called, apart from the rate limit."""
        while self.is_open or self.wait:
            await self._closed.wait()
            await asyncio.sleep(self.wait)

    async def acquire(self) -> bool:
        """Wait for the rate limiter; False when the API may no longer be called."""
        await self.rate_limiter.acquire()
        return not (self.is_open or self.wait)

    async def try_acquire_probe(self) -> bool:
        """Return whether this worker may probe an API that is down."""
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

    def record(self, failure: Failure | None, breaker_generation: int, *, fresh: bool) -> None:
        """Record the result of a request (None: success) sent under this breaker generation.

        Whether the API is down is judged by `fresh` students only: the last requests of a run
        are all retries, for students with whom something is wrong.
        """
        self.reports += 1
        if failure and failure.action is Action.WAIT:
            self._block(failure.wait)
        if fresh and breaker_generation == self.breaker_generation and not self.is_open:
            self._recent.append(failure is not None and failure.counts_as_outage)
            if len(self._recent) == WINDOW and sum(self._recent) > MAX_DOWN:
                self._open(shared=False)

    def close(self) -> None:
        """Close the breaker: a probe was answered."""
        self._set_closed()
        self._start(self._share(lambda: self._valkey.delete(DOWN)))

    def _open(self, *, shared: bool) -> None:
        logger.warning("the payment API is down%s", ", says another worker" if shared else "")
        self.breaker_generation += 1
        self._shared = shared
        self._closed.clear()
        if not shared:
            self._start(self._share_open())

    def _set_closed(self) -> None:
        self._recent.clear()
        self._closed.set()

    def _block(self, seconds: float) -> None:
        if seconds <= self.wait + SHARE_SECONDS / 5:
            return
        self._blocked_until = asyncio.get_running_loop().time() + seconds
        self._start(self._share(lambda: self._valkey.set(WAIT, 1, px=int(seconds * 1000))))

    async def _share_open(self) -> None:
        life = int(DOWN_SECONDS * 1000)
        self._shared = await self._share(lambda: self._valkey.set(DOWN, 1, px=life))

    async def _poll_loop(self) -> None:
        while True:
            await asyncio.sleep(SHARE_SECONDS)
            await self._poll()

    async def _poll(self) -> None:
        """Read the state shared by other workers."""
        try:
            async with self._valkey.pipeline(transaction=False) as pipe:
                pipe.pttl(WAIT)
                pipe.exists(DOWN)
                if self.is_open:
                    pipe.pexpire(DOWN, int(DOWN_SECONDS * 1000))
                wait, down = (await pipe.execute())[:2]
        except RedisError:
            return
        self._blocked_until = max(
            self._blocked_until, asyncio.get_running_loop().time() + wait / 1000
        )
        if down and not self.is_open:
            self._open(shared=True)
        elif not down and self.is_open and self._shared:
            self._set_closed()

    async def _share(self, command: Callable[[], Awaitable[Any]]) -> bool:
        try:
            await command()
        except RedisError as error:
            logger.warning("could not share the API's state with other workers: %s", error)
            return False
        return True

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
