"""Inject faults into a whole campus for a while: `./run faults --seed 7 --minutes 10`.

`./run faults --machines` plays the scenes of `tests/machines/` instead, on several machines.

Each round is one run of the sync with ten faults chosen at random from the seed. The first broken
promise ends the program, which prints the logs and the seed. The same seed plays the same faults
again, but not at exactly the same moments.
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
    args = parser.parse_args()
    if args.machines:
        files = ["-o", "python_files=test_*.py scenes.py", "tests/machines"]
        return int(pytest.main([*files, "-o", "timeout=300", "-rP"]))
    until, seed, rounds = time.monotonic() + args.minutes * 60, args.seed, 0
    while rounds == 0 or time.monotonic() < until:
        print(f"seed {seed}: {args.students} students, {args.faults} faults", flush=True)
        played = play_in_new_campus(seed, args)
        print(f"seed {seed}: {played.summary()}", flush=True)
        if played.broken:
            print("\n".join(played.broken[:20]), played.logs, sep="\n", file=sys.stderr)
            return 1
        seed, rounds = seed + 1, rounds + 1
    print(f"{rounds} rounds, no promise broken")
    return 0


def play_in_new_campus(seed: int, args: argparse.Namespace) -> Round:
    """Start a campus, play one round, stop the campus."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = None
        if args.postgresql:
            (folder / "pg").mkdir()
            server = PostgreSQL(folder / "pg")
        campus = Campus(folder, server, students=args.students, latency_ms="200..600")
        try:
            return play(campus, random.Random(seed), args.faults)
        finally:
            campus.stop()
            if server:
                server.child.stop(5)


if __name__ == "__main__":
    sys.exit(main())
