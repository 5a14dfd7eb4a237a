"""A short round of uploads under faults."""

import random
from pathlib import Path

from tests.faults.campus import Campus
from tests.faults.upload_round import play


def test_every_message_has_its_file_and_every_file_its_message(tmp_path: Path) -> None:
    campus = Campus(tmp_path, students=10)
    try:
        broken = play(campus, random.Random(1), uploads=40)
        assert broken == [], f"{broken}\n{campus.logs()}"
    finally:
        campus.stop()
