"""Throw faults at a whole campus for a while: `./run faults --seed 7 --minutes 10`.

`./run faults --machines` plays the scenes of `tests/machines/` instead, on several machines.

Each round is one run of the sync with ten faults drawn from the seed. It stops at the first
broken promise, prints the logs and the seed that replays it as far as time allows.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.faults.campus import Campus
from tests.faults.sync_round import Round, play
from tests.support.postgresql import PostgreSQL


def main() -> int:
    """Play rounds until the time is over; return 1 when a promise was broken."""
    parser = argparse.ArgumentParser(prog="./run faults", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--students", type=int, default=6000)
    parser.add_argument("--faults", type=int, default=10)
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    parser.add_argument("--machines", action="store_true", help="several machines that vanish")
    asked = parser.parse_args()
    if asked.machines:
        files = ["-o", "python_files=test_*.py scenes.py", "tests/machines"]
        return int(pytest.main([*files, "-o", "timeout=300", "-rP"]))
    until, seed, rounds = time.monotonic() + asked.minutes * 60, asked.seed, 0
    while rounds == 0 or time.monotonic() < until:
        print(f"seed {seed}: {asked.students} students, {asked.faults} faults", flush=True)
        played = in_a_new_campus(seed, asked)
        print(f"seed {seed}: {played.summary()}", flush=True)
        if played.broken:
            print("\n".join(played.broken[:20]), played.logs, sep="\n", file=sys.stderr)
            return 1
        seed, rounds = seed + 1, rounds + 1
    print(f"{rounds} rounds, no promise broken")
    return 0


def in_a_new_campus(seed: int, asked: argparse.Namespace) -> Round:
    """Set up, play one round, tear down."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = None
        if asked.postgresql:
            (folder / "pg").mkdir()
            server = PostgreSQL(folder / "pg")
        campus = Campus(folder, server, students=asked.students, latency_ms="200..600")
        try:
            return play(campus, random.Random(seed), asked.faults)
        finally:
            campus.stop()
            if server:
                server.child.stop(5)


if __name__ == "__main__":
    sys.exit(main())
