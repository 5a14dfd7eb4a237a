"""The fetch pool against the simulator: how many requests are in flight, and for which students."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

import config
from devtools.simulator import Simulator
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.fetcher import FetchPool
from myukm.domain.payment_api.gate import WINDOW
from myukm.domain.payment_api.rate_limiter import RateLimiter
from myukm.domain.payment_api.work_item import Item

WIDTH = 3
DOWN = Failure("server_error", Action.RETRY, 500)
IDS = [str(100001 + number) for number in range(20)]


@pytest.fixture
def payment_api() -> Iterator[Simulator]:
    with Simulator(students=20, latency_ms="10") as server:
        yield server


@pytest.fixture
def pool(payment_api: Simulator) -> FetchPool:
    environment = {"PEMBAYARAN_API_URL": payment_api.url, "SECRET_KEY": "k" * 32}
    return FetchPool(config.load(environment | {"REDIS_URL": "redis://x/0"}), WIDTH)


def items(count: int) -> list[Item]:
    return [Item(number, idperson) for number, idperson in enumerate(IDS[:count])]


def merge_nothing(pool: FetchPool) -> None:
    """Merge an empty shared state of the workers, without which the pool sends no request."""
    pool.merge(pool.update(), None)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def test_every_student_gets_one_result(pool: FetchPool) -> None:
    async def run() -> list[Item]:
        async with pool:
            merge_nothing(pool)
            pool.submit(items(20))
            assert pool.in_flight == WIDTH
            await until(lambda: not pool.unfinished)
            return pool.pop_results()

    results = asyncio.run(run())
    assert sorted(result.item_id for result in results) == list(range(20))
    assert all(result.payments for result in results)


def test_one_requested_student_is_fetched_beyond_the_width(
    pool: FetchPool, payment_api: Simulator
) -> None:
    payment_api.set(latency_ms="60000")

    async def run() -> int:
        async with pool:
            merge_nothing(pool)
            pool.submit(items(10))
            pool.submit(Item(n, IDS[n], requested=True) for n in (11, 12))
            await until(lambda: IDS[11] in payment_api.students())
            assert IDS[12] not in payment_api.students()
            return pool.in_flight

    assert asyncio.run(run()) == WIDTH + 1


def test_requested_students_are_fetched_in_their_order(
    pool: FetchPool, payment_api: Simulator
) -> None:
    payment_api.set(latency_ms="60000")

    async def run() -> set[str]:
        async with pool:
            pool.submit(items(10))
            pool.submit(Item(n, IDS[n], requested=True) for n in range(10, 20))
            merge_nothing(pool)
            await until(lambda: len(payment_api.students()) == WIDTH + 1)
            return set(payment_api.students())

    assert asyncio.run(run()) == set(IDS[10 : 10 + WIDTH + 1])


def test_nothing_is_sent_before_the_shared_state_is_merged(pool: FetchPool) -> None:
    async def run() -> tuple[int, int]:
        async with pool:
            pool.submit(items(5))
            before = pool.in_flight
            merge_nothing(pool)
            return before, pool.in_flight

    assert asyncio.run(run()) == (0, WIDTH)


def test_leaving_the_pool_cancels_requests_in_flight(
    pool: FetchPool, payment_api: Simulator
) -> None:
    payment_api.set(latency_ms="60000")

    async def run() -> None:
        async with pool:
            merge_nothing(pool)
            pool.submit(items(5))
            await until(lambda: payment_api.state()["requests"] == WIDTH)

    asyncio.run(asyncio.wait_for(run(), 10))
    assert pool.in_flight == 0
    assert len(pool.unfinished) == 5


def test_after_stop_only_requests_in_flight_end(pool: FetchPool, payment_api: Simulator) -> None:
    async def run() -> int:
        async with pool:
            merge_nothing(pool)
            pool.submit(items(10))
            pool.stop()
            await until(lambda: not pool.in_flight)
            return len(pool.pop_results())

    assert asyncio.run(run()) == WIDTH
    assert payment_api.state()["requests"] == WIDTH


def test_a_full_pool_reserves_a_slot_only_for_a_requested_student(
    pool: FetchPool, payment_api: Simulator
) -> None:
    payment_api.set(latency_ms="60000")

    async def run() -> tuple[int, int]:
        async with pool:
            merge_nothing(pool)
            pool.submit(items(10))
            pool.gate.rate_limiter = RateLimiter(10)
            full = pool.update().slots
            pool.submit([Item(11, IDS[11], requested=True)])
            return full, pool.update().slots

    assert asyncio.run(run()) == (0, 1)


def test_a_stopped_pool_leaves_the_rate_budget_to_others(pool: FetchPool) -> None:
    pool.gate.rate_limiter = RateLimiter(10)

    async def run() -> tuple[int, int]:
        async with pool:
            pool.submit(items(10))
            before = pool.update().slots
            pool.stop()
            return before, pool.update().slots

    before, after = asyncio.run(run())
    assert before
    assert after == 0


def test_a_stopped_pool_leaves_the_probe_to_others(pool: FetchPool) -> None:
    """A probe that the pool claimed but did not send would block all workers' probes for 5 s."""

    async def run() -> tuple[bool, bool]:
        async with pool:
            for _ in range(WINDOW):
                pool.gate.record(DOWN, 0, fresh=True)
            before = pool.update().probe
            pool.stop()
            return before, pool.update().probe

    assert asyncio.run(run()) == (True, False)


@pytest.mark.parametrize("students", [0, 1])
def test_a_probe_obeys_retry_after(pool: FetchPool, payment_api: Simulator, students: int) -> None:
    payment_api.set(rate=0, rate_status=503, retry_after="40")
    merge_nothing(pool)
    for _ in range(WINDOW):
        pool.gate.record(DOWN, pool.gate.breaker_generation, fresh=True)

    async def run() -> None:
        async with pool:
            pool.submit(items(students))
            merge_nothing(pool)
            await until(lambda: payment_api.state()["requests"] and not pool.in_flight)

    asyncio.run(run())
    assert pool.gate.is_open
    assert 30 < pool.gate.wait <= 40
    assert len(pool.unfinished) == students
