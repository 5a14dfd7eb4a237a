"""The tests of the front-end's modules, each file run by Node's own test runner."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.servers import need

FILES = sorted(Path(__file__).parent.glob("js/*.test.js"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_modules_pass_their_node_tests(file: Path) -> None:
    node = need(shutil.which("node"), "nodejs")
    done = subprocess.run([node, "--test", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
