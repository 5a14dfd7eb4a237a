"""A campus with its payment API: what the tests of the sync's jobs start from."""

from collections.abc import Iterator

import pytest
from flask import Flask

from devtools.simulator import Simulator
from myukm.ops import periodic
from tests.support import sync

STUDENTS = 600


@pytest.fixture
def payment_api() -> Iterator[Simulator]:
    """The payment API of 600 students."""
    with Simulator(students=STUDENTS, latency_ms="10..30") as server:
        yield server


@pytest.fixture
def settings(settings: dict[str, str], payment_api: Simulator) -> dict[str, str]:
    """The environment of this test's programs, with that API."""
    return settings | {
        "PEMBAYARAN_API_URL": payment_api.url,
        "PEMBAYARAN_API_TIMEOUT": "15",
        "SYNC_LANE_TIMEOUT": "10",
    }


@pytest.fixture
def campus(app: Flask) -> Iterator[Flask]:
    """The app with its 600 students, and the watch that every installation has."""
    with app.app_context():
        sync.create_students(STUDENTS)
    watching = periodic.start(app)
    yield app
    watching.stop()
    watching.thread.join()
