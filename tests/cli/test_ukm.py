"""`flask ukm` with existing UKMs: list, remove, archive, restore, renew the join code."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from myukm.extensions import db
from myukm.models import Activity
from tests.support.people import UKM

Flasks = Callable[..., Result]


@pytest.fixture
def flask(app: Flask, people: dict[str, int]) -> Flasks:
    """`flask("ukm", "list")` runs a command in this process."""
    return lambda *words: app.test_cli_runner().invoke(args=words)


def test_an_archived_ukm_is_listed_only_with_archived(app: Flask, flask: Flasks) -> None:
    assert flask("ukm", "archive", UKM.lower()).stdout == "UKM ROBOTIK diarsipkan.\n"
    assert UKM not in flask("ukm", "list").stdout
    assert UKM in flask("ukm", "list", "--archived").stdout
    assert flask("ukm", "restore", UKM).stdout == "UKM ROBOTIK aktif lagi.\n"
    assert UKM in flask("ukm", "list").stdout
    with app.app_context():
        lines = db.session.scalars(select(Activity).order_by(Activity.id)).all()
        assert [(line.action, line.actor_id, line.actor_name) for line in lines] == [
            ("unit.archived", None, None),
            ("ukm.archived", None, "flask ukm"),
            ("unit.restored", None, None),
            ("ukm.restored", None, "flask ukm"),
        ]


def test_a_new_join_code_is_printed(flask: Flasks) -> None:
    fresh = flask("ukm", "renew-code", UKM).stdout.strip()
    assert fresh in flask("ukm", "list").stdout


def test_a_removed_and_blocked_member_can_be_added_again(flask: Flasks) -> None:
    done = flask("ukm", "remove", UKM, "2024002", "--block")
    assert (done.exit_code, done.stdout) == (0, "2024002 bukan lagi anggota ROBOTIK.\n")
    assert flask("ukm", "remove", UKM, "2024002").exit_code != 0
    assert flask("ukm", "add", UKM, "2024002").exit_code == 0, "adding lifts the block"


@pytest.mark.parametrize("command", ["archive", "restore", "renew-code"])
def test_an_unknown_ukm_is_named_in_one_line(flask: Flasks, command: str) -> None:
    done = flask("ukm", command, "TIDAK-ADA")
    assert done.exit_code == 1
    assert done.stderr.strip().count("\n") == 0
    assert "Tidak ada UKM dengan kode TIDAK-ADA." in done.stderr
