"""Waiting times are kept as counts by class, and are right to about a tenth all the same."""

import random
import statistics

import pytest

from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.payments import parse
from myukm.domain.api.traffic import BOUNDS, Traffic, quantile

NOTHING = parse(b'{"data": []}', "1")


def test_the_quantiles_are_close_to_the_exact_ones() -> None:
    spread = random.Random(7)
    times = [spread.lognormvariate(-3, 0.6) for _ in range(5000)]
    traffic = Traffic()
    for seconds in times:
        traffic.note(seconds, NOTHING, again=False)
    exact = statistics.quantiles(times, n=100)
    assert quantile(traffic.latency, 0.5) == pytest.approx(exact[49] * 1000, rel=0.1)
    assert quantile(traffic.latency, 0.95) == pytest.approx(exact[94] * 1000, rel=0.1)


def test_what_is_counted() -> None:
    traffic = Traffic()
    traffic.note(0.05, NOTHING, again=False)
    traffic.note(0.05, Failure("client_error", Kind.WAIT, 429, 1.0), again=True)
    traffic.note(500, Failure("timeout", Kind.RETRY), again=True)
    assert (traffic.requests, traffic.retries, traffic.limited) == (3, 2, 1)
    assert quantile(traffic.latency, 1.0) == BOUNDS[-1]


def test_nothing_has_no_quantile() -> None:
    assert quantile([], 0.5) is None
    assert quantile(Traffic().latency, 0.5) is None
