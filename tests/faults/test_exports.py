"""A short round of an export under faults."""

import random
from pathlib import Path

from tests.faults.campus import Campus
from tests.faults.export_round import play


def test_an_archive_is_complete_and_stored_once_though_its_jobs_are_killed(tmp_path: Path) -> None:
    campus = Campus(tmp_path, students=10)
    try:
        broken = play(campus, random.Random(1), messages=15_000)
        assert broken == [], f"{broken}\n{campus.logs()}"
    finally:
        campus.stop()
