"""Whom the audit trail names for a command."""

import os
import pwd

import pytest

from myukm.cli.actor import actor


def test_the_name_comes_from_the_user_id_and_not_from_a_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "rektor")
    assert actor().name == f"{pwd.getpwuid(os.getuid()).pw_name} (CLI)"


def test_a_user_id_without_a_name_is_shown_as_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    assert actor().name == "3999999999 (CLI)"
