"""The command line of a program that plays one round of faults against a new campus."""

import argparse
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.faults.campus import Campus


def main(
    document: str | None, play: Callable[[Campus, random.Random, int], list[str]], **length: int
) -> int:
    """Play one round; return 1 if a promise of the program was broken.

    `document` is the program's docstring, and `play` returns the promises that were broken. If it
    raises, the logs are printed, because their folder is deleted.
    `length` is the option for the length of a round with its default, such as `seconds=60`.
    """
    [(unit, default)] = length.items()
    parser = argparse.ArgumentParser(description=(document or "").partition("\n")[0])
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    parser.add_argument(f"--{unit}", type=int, default=default)
    args = parser.parse_args()
    print(f"seed {args.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        campus = Campus(Path(folder), students=10)
        try:
            broken = play(campus, random.Random(args.seed), getattr(args, unit))
            print("\n".join([*broken[:20], campus.logs()]) if broken else "no promise broken")
        except Exception:
            print(campus.logs())
            raise
        finally:
            campus.stop()
    return 1 if broken else 0
