"""A short round of the chat under faults, on SQLite and on PostgreSQL."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.campus import Campus
from tests.faults.chat_round import play


@pytest.fixture(params=["sqlite", "postgresql"])
def campus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Campus]:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    made = Campus(tmp_path, server, students=10)
    yield made
    made.stop()


def test_every_message_reaches_everyone_once_and_in_order(campus: Campus) -> None:
    broken = play(campus, random.Random(4), seconds=20)
    assert broken == [], f"{broken}\n{campus.logs()}"
