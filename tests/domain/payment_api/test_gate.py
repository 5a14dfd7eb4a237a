"""The gate: when the API may be called, with and without other workers."""

import itertools
import math
from collections.abc import Iterator

import pytest
import redis
from flask import Flask

from myukm.domain.payment_api import shared_state
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.gate import PROBE_SECONDS, WINDOW, Gate, SharedState
from myukm.domain.payment_api.rate_limiter import LATE_SECONDS
from tests.support.without_valkey import lose_valkey

CALM = SharedState(wait=0.0, down=False, probe=False, slot=0.0)
DOWN = Failure("server_error", Action.RETRY, 500)


class Clock:
    """A clock that stands until a test advances it."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def gate(clock: Clock) -> Gate:
    """The gate of a lane after its first exchange."""
    made = Gate(None, clock)
    made.merge(made.update(0), CALM)
    return made


@pytest.fixture
def app_context(app: Flask, valkey: redis.Redis) -> Iterator[Flask]:
    with app.app_context():
        yield app


def fail(gate: Gate, count: int = WINDOW) -> None:
    for _ in range(count):
        gate.record(DOWN, gate.breaker_generation, fresh=True)


def exchange(gate: Gate, ready: int = 0) -> bool:
    """Exchange the gate's state through the real Valkey; return whether the gate may probe."""
    update = gate.update(ready)
    return gate.merge(update, shared_state.exchange(update))


def test_nothing_is_sent_before_the_first_exchange(clock: Clock) -> None:
    gate = Gate(None, clock)
    assert gate.acquire() == math.inf
    gate.merge(gate.update(0), None)
    assert gate.acquire() == 0


def test_the_breaker_opens_when_more_than_half_of_the_last_requests_failed(gate: Gate) -> None:
    fail(gate, 10)
    for _ in range(10):
        gate.record(None, gate.breaker_generation, fresh=True)
    assert not gate.is_open
    fail(gate, 11)
    assert gate.is_open
    assert gate.acquire() == math.inf
    assert gate.breaker_generation == 1


def test_retries_and_requests_sent_before_the_outage_do_not_open_the_breaker(gate: Gate) -> None:
    for _ in range(WINDOW):
        gate.record(DOWN, 0, fresh=False)
    assert not gate.is_open
    fail(gate)
    gate.close()
    for _ in range(WINDOW):
        gate.record(DOWN, 0, fresh=True)
    assert not gate.is_open


def test_retry_after_blocks_all_requests_until_it_is_over(gate: Gate, clock: Clock) -> None:
    gate.record(Failure("client_error", Action.WAIT, 429, 7.0), 0, fresh=True)
    assert gate.acquire() == 7.0
    assert gate.update(0).wait == 7.0
    clock.now += 7.0
    assert gate.acquire() == 0
    assert gate.update(0).wait == 0


def test_an_open_breaker_allows_one_probe_per_interval_over_all_workers(
    gate: Gate, clock: Clock
) -> None:
    fail(gate)
    assert gate.merge(gate.update(0), CALM._replace(down=True, probe=True))
    assert not gate.merge(gate.update(0), CALM._replace(down=True, probe=True))
    clock.now += PROBE_SECONDS
    assert not gate.merge(gate.update(0), CALM._replace(down=True)), "another worker probes"
    assert gate.merge(gate.update(0), CALM._replace(down=True, probe=True))


def test_without_valkey_a_worker_probes_and_closes_its_own_breaker(gate: Gate) -> None:
    fail(gate)
    assert gate.merge(gate.update(0), None), "the worker may probe"
    gate.close()
    assert gate.acquire() == 0


def test_an_opened_breaker_is_reported_until_valkey_has_it(gate: Gate) -> None:
    fail(gate)
    gate.merge(gate.update(0), None)
    assert gate.update(0).opened
    gate.merge(gate.update(0), CALM._replace(down=True))
    assert not gate.update(0).opened


@pytest.mark.parametrize(
    ("codes", "cause"),
    [
        (["server_error"] * 15 + [None] * 5, "errors 15/20"),
        (["timeout"] * 20, "silence"),
        (["connection"] * 11 + ["server_error"] * 9, "silence"),
    ],
)
def test_the_cause_distinguishes_error_answers_from_silence(
    gate: Gate, codes: list[str | None], cause: str
) -> None:
    for code in codes:
        gate.record(Failure(code, Action.RETRY) if code else None, 0, fresh=True)
    assert gate.cause == cause


def test_a_change_during_an_exchange_overrides_its_result(gate: Gate) -> None:
    fail(gate)
    update = gate.update(0)
    gate.close()
    gate.merge(update, CALM._replace(down=True))
    assert not gate.is_open
    assert gate.update(0).closed


def test_workers_share_breaker_retry_after_and_probe(app_context: Flask) -> None:
    one, two = Gate(None), Gate(None)
    for gate in (one, two):
        exchange(gate)
    fail(one)
    assert exchange(one), "the first worker probes at once"
    assert not exchange(two), "another worker probes already"
    assert two.is_open
    one.close()
    exchange(one)
    exchange(two)
    assert not two.is_open
    two.record(Failure("client_error", Action.WAIT, 429, 60.0), 0, fresh=True)
    exchange(two)
    exchange(one)
    assert 59 < one.acquire() <= 60
    told_later = Gate(None)
    told_later.record(Failure("client_error", Action.WAIT, 429, 1.0), 0, fresh=True)
    exchange(told_later)
    assert 59 < told_later.acquire() <= 60, "a shorter wait replaces no longer one"


def test_a_dead_workers_open_breaker_expires(app_context: Flask, valkey: redis.Redis) -> None:
    dead, alive = Gate(None), Gate(None)
    exchange(alive)
    fail(dead)
    exchange(dead)
    exchange(alive)
    assert alive.is_open
    assert valkey.pttl(shared_state.DOWN) > 0
    valkey.delete(shared_state.DOWN)  # the key expires
    exchange(alive)
    assert not alive.is_open


def test_the_rate_budget_is_spread_evenly(clock: Clock) -> None:
    gate = Gate(20, clock)
    sent = send(gate, clock, 2.0)
    assert len(sent) == pytest.approx(40, abs=1)
    gaps = [later - first for first, later in itertools.pairwise(sent)]
    assert min(gaps) > 0.04


def send(gate: Gate, clock: Clock, seconds: float) -> list[float]:
    """Send as much as the gate allows, with an exchange each quarter of a second."""
    sent, free, began = [], clock.now, clock.now
    for tick in range(int(seconds * 1000)):
        clock.now = began + tick / 1000
        if tick % 250 == 0:
            update = gate.update(1000)
            free = max(free, clock.now)
            gate.merge(update, CALM._replace(slot=free - clock.now))
            free += update.width / 1e6
        if gate.acquire() == 0:
            sent.append(clock.now)
    return sent


def test_missed_slots_are_lost(clock: Clock) -> None:
    gate = Gate(20, clock)
    gate.merge(gate.update(1000), CALM)
    clock.now += 0.4 + LATE_SECONDS
    burst = sum(gate.acquire() == 0 for _ in range(100))
    assert 1 <= burst <= 20 * LATE_SECONDS


def test_no_more_slots_are_reserved_than_can_be_used(clock: Clock) -> None:
    gate = Gate(1000, clock)
    assert gate.update(0).slots == 0
    assert gate.update(3).slots == 3


def test_expired_slots_are_reserved_anew(clock: Clock) -> None:
    gate = Gate(10, clock)
    gate.merge(gate.update(5), CALM)
    assert gate.update(5).slots == 0, "five are reserved already"
    clock.now += 1.0
    assert gate.update(5).slots == 5


def test_nothing_is_reserved_while_nothing_may_be_sent(clock: Clock) -> None:
    gate = Gate(10, clock)
    gate.record(Failure("client_error", Action.WAIT, 429, 7.0), 0, fresh=True)
    assert gate.update(5).slots == 0, "Retry-After blocks all requests"
    clock.now += 7.0
    assert gate.update(5).slots == 5
    fail(gate)
    assert gate.update(5).slots == 0, "the breaker is open"


def test_a_budget_below_one_request_per_second_is_kept(clock: Clock) -> None:
    gate = Gate(0.5, clock)
    assert len(send(gate, clock, 8.0)) == 4


def test_workers_share_the_rate_budget(app_context: Flask) -> None:
    one, two = Gate(10), Gate(10)
    for gate in (one, two):
        exchange(gate, ready=5)
    assert one.acquire() == 0
    assert two.acquire() == pytest.approx(0.5, abs=0.05)


def test_without_valkey_each_worker_uses_its_share_of_the_budget(app_context: Flask) -> None:
    lose_valkey(app_context)
    gate = Gate(10)
    gate.rate_limiter.workers = 2
    exchange(gate, ready=5)
    assert gate.acquire() == 0
    assert gate.acquire() == pytest.approx(0.2, abs=0.05)
