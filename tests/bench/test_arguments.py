"""Values on the command line of a bench that could not be measured."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("given", ["--turns=0", "--latency=0", "--latency=nan", "--students=x"])
def test_what_cannot_be_measured_is_refused_before_the_bench_begins(given: str):
    done = subprocess.run(
        [sys.executable, "-m", "bench.sync", given],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    name, value = given.split("=")
    assert (done.returncode, done.stdout) == (2, "")
    assert f"argument {name}: {value} is not a " in done.stderr
