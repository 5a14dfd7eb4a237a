"""Latencies are counted in buckets; quantiles are right to about a tenth."""

import random
import statistics

import pytest

from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.metrics import BUCKETS_MS, RequestStats
from myukm.domain.payment_api.parser import parse
from myukm.histogram import quantile

NOTHING = parse(b'{"data": []}', "1")


def test_the_quantiles_are_close_to_the_exact_ones() -> None:
    spread = random.Random(7)
    times = [spread.lognormvariate(-3, 0.6) for _ in range(5000)]
    traffic = RequestStats()
    for seconds in times:
        traffic.observe(seconds, NOTHING, is_retry=False)
    exact = statistics.quantiles(times, n=100)
    assert quantile(BUCKETS_MS, traffic.latency, 0.5) == pytest.approx(exact[49] * 1000, rel=0.1)
    assert quantile(BUCKETS_MS, traffic.latency, 0.95) == pytest.approx(exact[94] * 1000, rel=0.1)


def test_retries_and_429_are_counted_and_long_latencies_are_in_the_last_bucket() -> None:
    traffic = RequestStats()
    traffic.observe(0.05, NOTHING, is_retry=False)
    traffic.observe(0.05, Failure("client_error", Action.WAIT, 429, 1.0), is_retry=True)
    traffic.observe(500, Failure("timeout", Action.RETRY), is_retry=True)
    assert (traffic.requests, traffic.retries, traffic.limited) == (3, 2, 1)
    assert quantile(BUCKETS_MS, traffic.latency, 1.0) == BUCKETS_MS[-1]


def test_without_requests_there_is_no_quantile() -> None:
    assert quantile(BUCKETS_MS, [], 0.5) is None
    assert quantile(BUCKETS_MS, RequestStats().latency, 0.5) is None
