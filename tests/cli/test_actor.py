"""Whom the audit trail names for a command."""

import os
import pwd

import pytest

from myukm.cli.actor import actor


def test_the_name_is_that_of_the_user_id_not_one_that_a_variable_claims(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("LOGNAME", "USER"):
        monkeypatch.setenv(name, "rektor")
    assert actor().name == f"{pwd.getpwuid(os.getuid()).pw_name} (CLI)"


def test_a_user_id_without_a_name_is_named_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999_999)
    assert actor().name == "3999999999 (CLI)"
