"""Short rounds of the sync under faults, on SQLite and PostgreSQL; `./run faults` plays more."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.campus import Campus
from tests.faults.sync_round import play


@pytest.fixture(params=["sqlite", "postgresql"])
def campus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Campus]:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    made = Campus(tmp_path, server, students=2000, latency_ms="200..600")
    yield made
    made.stop()


@pytest.mark.parametrize("seed", [5, 8])
def test_a_run_ends_correctly_under_faults(campus: Campus, seed: int) -> None:
    played = play(campus, random.Random(seed), faults=4)
    assert played.broken == [], f"{played.summary()}\n{played.logs}"
