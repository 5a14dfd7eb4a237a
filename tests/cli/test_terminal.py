"""Output if the locale's encoding lacks a letter: no traceback, and files are UTF-8."""

import io
import os
import pty
import subprocess
import sys

import pytest
from flask import Flask

from myukm import terminal
from myukm.db.session import transaction
from myukm.models import Siswa
from tests.support.programs import BIN, ROOT


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_a_letter_shows_a_question_mark(
    app: Flask, settings: dict[str, str], encoding: str
) -> None:
    with app.app_context(), transaction() as session:
        session.add(Siswa(idperson="1", nama="Łukasz 李"))
    ours, theirs = pty.openpty()
    env = {**os.environ, **settings, "FLASK_APP": "wsgi:app", "PYTHONIOENCODING": encoding}
    command = [BIN / "flask", "siswa", "list"]
    done = subprocess.run(
        command, stdout=theirs, stderr=subprocess.PIPE, cwd=ROOT, env=env, text=True, check=False
    )
    os.close(theirs)
    shown = os.read(ours, 65_536).decode(encoding)
    os.close(ours)
    assert (done.returncode, done.stderr) == (0, "")
    assert "?ukasz ?" in shown


def test_a_file_is_utf_8_whatever_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(file, encoding="ascii"))
    terminal.accept_any_text()
    print("\ufeffZoë")
    sys.stdout.flush()
    assert file.getvalue() == "\ufeffZoë\n".encode()
