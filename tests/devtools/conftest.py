"""A simulator with default options and zero counters for each test."""

from collections.abc import Iterator

import pytest

from devtools.simulator import Simulator

DEFAULTS = {
    "students": 6102,
    "latency_ms": "0",
    "fail": {},
    "flaky": {},
    "flaky_failures": 1,
    "changes": [],
    "outage": None,
    "rate": None,
    "rate_status": 429,
    "retry_after": "1",
    "token": None,
    "gzip": False,
    "etag": True,
    "override": {},
}


@pytest.fixture(scope="module")
def running_simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def api(running_simulator: Simulator) -> Simulator:
    running_simulator.set(**DEFAULTS)
    running_simulator.reset()
    return running_simulator
