"""The upgrade to searchable messages includes older messages, also after it was killed."""

import subprocess
import sys

import flask_migrate
from flask import Flask
from sqlalchemy import text, update

from myukm.db.session import transaction
from myukm.domain.chat import messages, search
from myukm.domain.chat.search_query import parse
from myukm.extensions import db
from myukm.models import ChatMessage, User
from tests.conftest import every_database
from tests.support.people import UKM
from tests.support.programs import ROOT

BEFORE, ADDED_BY = "0029", "0030"


@every_database
def test_older_messages_are_found(app: Flask, people: dict[str, int]) -> None:
    with app.app_context():
        member = db.session.get_one(User, people["member"])
        for said in ("rapat سلام", "kata lain", "rapat dihapus"):
            last, _new = messages.post(member, UKM, said, said)
        messages.delete(member.id, UKM, last.id)
        db.session.commit()
        flask_migrate.downgrade(revision=BEFORE)
        flask_migrate.upgrade()
        if db.engine.dialect.name == "postgresql":  # whose planner needs statistics
            known = text("SELECT count(*) FROM pg_stats WHERE tablename = 'chat_message'")
            assert db.session.scalar(known)
        assert found(people["member"], "rapat") == found(people["member"], "سلام") == ["rapat سلام"]

        # As a killed upgrade leaves it: one message has no terms yet.
        with transaction() as session:
            session.execute(update(ChatMessage).where(ChatMessage.id == 1).values(search_text=""))
        assert found(people["member"], "rapat") == []
        flask_migrate.downgrade(revision=ADDED_BY)
        flask_migrate.stamp(revision=BEFORE)
        flask_migrate.upgrade()
        assert found(people["member"], "rapat") == ["rapat سلام"]
        assert found(people["member"], "dari:mega") == ["kata lain", "rapat سلام"]


def test_the_bench_begins_before_this_upgrade() -> None:
    """It fills the tables of that version, so columns that models get later must not break it."""
    command = [sys.executable, "-m", "bench.search", "--messages", "200"]
    ran = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def found(user_id: int, text: str) -> list[str]:
    texts = [one.body for one in search.find(user_id, parse(text), None, UKM).messages]
    db.session.commit()
    return texts
