"""Rate limits: attempts are counted by all processes before they are checked."""

import secrets
import threading
from typing import Any

import pytest
import redis
from flask import Flask

from myukm.errors import Forbidden, Invalid, NotFound, TooFast
from myukm.extensions import valkey
from myukm.rate_limiting import local_log
from myukm.rate_limiting.limiter import acquire, attempt
from myukm.rate_limiting.local_log import Limit, claim
from tests.support.without_valkey import lose_valkey

FEW = Limit("few", 3, 60)
SLOW = Limit("slow", 3, 3600, first_wait=60, longest_wait=900)


@pytest.fixture(params=["valkey", "alone"])
def ready(app: Flask, request: pytest.FixtureRequest) -> Flask:
    """The app, once with Valkey and once without."""
    if request.param == "alone":
        lose_valkey(app)
    return app


def allowed_calls(limit: Limit, *whom: str) -> int:
    """Use up a limit; return how many attempts it allowed (at most 1,000)."""
    for times in range(1000):
        try:
            acquire(claim(limit, *whom))
        except TooFast:
            return times
    return 1000


def test_each_key_has_its_own_limit(ready: Flask) -> None:
    with ready.app_context():
        assert allowed_calls(FEW, "a") == 3
        assert allowed_calls(FEW, "b") == 3
        assert allowed_calls(FEW, "a") == 0


def test_a_refusal_says_when_to_come_again(ready: Flask) -> None:
    with ready.app_context():
        allowed_calls(FEW, "a")
        with pytest.raises(TooFast) as refused:
            acquire(claim(FEW, "a"))
    assert 55 <= refused.value.retry_after <= 60
    assert refused.value.headers == {"Retry-After": str(refused.value.retry_after)}


def test_a_refusal_by_one_limit_does_not_count_for_another(ready: Flask) -> None:
    wide = Limit("wide", 10, 60)
    with ready.app_context():
        for _ in range(20):
            try:
                acquire(claim(wide, "school"), claim(FEW, "a"))
            except TooFast:
                continue
        assert allowed_calls(wide, "school") == 7


def test_only_wrong_guesses_and_unexpected_errors_stay_counted(ready: Flask) -> None:
    def guess(error: Exception | None) -> None:
        with attempt(claim(FEW, "a"), wrong=Forbidden):
            if error:
                raise error

    with ready.app_context():
        for _ in range(5):
            guess(None)
            with pytest.raises(Invalid):
                guess(Invalid("too short"))
        for error in (Forbidden("wrong"), Forbidden("wrong"), ZeroDivisionError()):
            with pytest.raises(type(error)):
                guess(error)
        with pytest.raises(TooFast):
            guess(NotFound("never judged"))


def test_a_released_claim_leaves_no_key(app: Flask, valkey: redis.Redis) -> None:
    with app.app_context():
        acquire(claim(FEW, "a" * 1_000_000)).give_back()
        assert valkey.dbsize() == 0
        acquire(claim(FEW, "a" * 1_000_000))
        (key,) = valkey.keys()
    assert len(key) < 64
    assert 0 < valkey.pttl(key) <= 60_000


def test_concurrent_requests_do_not_exceed_the_limit(ready: Flask) -> None:
    allowed: list[bool] = []
    begin = threading.Barrier(40)

    def try_once() -> None:
        with ready.app_context():
            begin.wait(30)
            try:
                acquire(claim(FEW, "a"))
            except TooFast:
                return
            allowed.append(True)

    threads = [threading.Thread(target=try_once) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(allowed) == 3


def test_valkey_counts_for_all_processes(app: Flask) -> None:
    with app.app_context():
        allowed_calls(FEW, "a")
        app.extensions["rate_log"] = local_log.RateLog()  # another process
        assert allowed_calls(FEW, "a") == 0


def test_without_valkey_a_process_allows_its_share(app: Flask) -> None:
    lose_valkey(app)
    app.config["WEB_PROCESSES"] = 2
    with app.app_context():
        assert allowed_calls(Limit("ten", 10, 60), "a") == 5
        assert allowed_calls(Limit("one", 1, 60), "a") == 1
        assert allowed_calls(Limit("slow", 10, 60, first_wait=30, longest_wait=60), "a") == 5


def test_counts_of_valkey_still_apply_without_it(app: Flask) -> None:
    with app.app_context():
        allowed_calls(FEW, "a")
        lose_valkey(app)
        assert allowed_calls(FEW, "a") == 0


def test_if_valkey_refuses_writes_the_process_counts_alone(app: Flask) -> None:
    with app.app_context():
        valkey().config_set("min-replicas-to-write", 1)  # there is no replica
        try:
            assert allowed_calls(FEW, "a") == 3
            assert valkey().dbsize() == 0, "only this process counted"
        finally:
            valkey().config_set("min-replicas-to-write", 0)


class Clock:
    """Replaces the module `time` in `local_log`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(local_log, "time", clock)
    return clock


def test_every_period_has_at_most_the_limit(clock: Clock) -> None:
    log, allowed = local_log.RateLog(), []
    for second in range(300):
        clock.now = 1000.0 + second
        if not log.add([claim(FEW, "a")], secrets.token_hex(4)).wait:
            allowed.append(second)
    assert allowed[:6] == [0, 1, 2, 60, 61, 62]
    assert all(sum(a <= t < a + 60 for t in allowed) <= 3 for a in allowed)


def test_waits_grow_with_each_guess_and_end_after_an_hour_without_one(clock: Clock) -> None:
    log = local_log.RateLog()

    def add() -> float:
        return log.add([claim(SLOW, "a")], secrets.token_hex(4)).wait

    assert [add() for _ in range(3)] == [0, 0, 0]
    waits = []
    for _ in range(7):
        waits.append(add())
        clock.now += waits[-1]
        assert add() == 0
    assert waits == [60, 120, 240, 480, 900, 900, 900]
    clock.now += 3600
    assert [add() for _ in range(3)] == [0, 0, 0]
    assert add() == 60


def test_waits_in_valkey_grow_in_the_same_way(app: Flask, valkey: redis.Redis) -> None:
    quick = Limit("quick", 2, 60, first_wait=30, longest_wait=45)
    with app.app_context():
        assert allowed_calls(quick, "a") == 2
        (key,) = valkey.keys()
        for expected in (30, 45, 45):
            app.extensions["rate_log"] = local_log.RateLog()
            with pytest.raises(TooFast) as refused:
                acquire(claim(quick, "a"))
            assert refused.value.retry_after == expected
            for hit, at in list[Any](valkey.zrange(key, 0, -1, withscores=True)):  # so much later
                valkey.zadd(key, {hit: at - 1000 * expected})
            acquire(claim(quick, "a"))


@pytest.mark.parametrize("limit", [FEW, SLOW])
def test_a_clock_that_is_set_back_locks_nobody_out(
    app: Flask, valkey: redis.Redis, limit: Limit
) -> None:
    with app.app_context():
        allowed_calls(limit, "a")
        (key,) = valkey.keys()
        for hit, at in list[Any](valkey.zrange(key, 0, -1, withscores=True)):
            valkey.zadd(key, {hit: at + 1000 * 86_400})
        app.extensions["rate_log"] = local_log.RateLog()
        assert allowed_calls(limit, "a") == 3


def test_a_process_deletes_expired_keys(clock: Clock) -> None:
    log = local_log.RateLog()
    for number in range(5000):
        clock.now += 1
        log.add([claim(FEW, str(number))], "hit")
    assert len(log._attempts) <= local_log.PRUNE_AT_KEYS
