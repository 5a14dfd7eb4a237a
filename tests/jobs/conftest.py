"""A campus with its payment API, for tests of the sync's jobs."""

from collections.abc import Iterator

import pytest
from flask import Flask

from devtools.simulator import Simulator
from myukm.ops import periodic_tasks
from tests.support import sync

STUDENTS = 600


@pytest.fixture
def payment_api() -> Iterator[Simulator]:
    """The payment API of 600 students."""
    with Simulator(students=STUDENTS, latency_ms="10..30") as server:
        yield server


@pytest.fixture
def settings(settings: dict[str, str], payment_api: Simulator) -> dict[str, str]:
    """The environment of the programs that a test starts, with the address of this API."""
    return settings | {
        "PEMBAYARAN_API_URL": payment_api.url,
        "PEMBAYARAN_API_TIMEOUT": "15",
        "SYNC_LANE_TIMEOUT": "10",
    }


@pytest.fixture
def campus(app: Flask) -> Iterator[Flask]:
    """The app with its 600 students and the periodic tasks."""
    with app.app_context():
        sync.create_students(STUDENTS)
    tasks = periodic_tasks.start(app)
    yield app
    tasks.stop()
    tasks.thread.join()
