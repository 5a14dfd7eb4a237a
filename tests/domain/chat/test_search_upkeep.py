"""The leader indexes messages that a process of an older version stored without search terms."""

import pytest
from flask import Flask
from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.domain.chat import messages, search, search_upkeep
from myukm.domain.chat.search_query import parse
from myukm.domain.chat.search_upkeep import TermFiller
from myukm.extensions import db
from myukm.models import ChatMessage, User
from tests.conftest import every_database
from tests.support.people import UKM


@every_database
@pytest.mark.usefixtures("no_flood_guard")
def test_messages_without_terms_are_indexed_and_found(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_upkeep, "BATCH_IDS", 2)
    monkeypatch.setattr(search_upkeep, "RECHECKED_IDS", 2)
    with app.app_context():
        member = db.session.get_one(User, people["member"])
        ids = [messages.post(member, UKM, f"rapat {n}", f"c{n}")[0].id for n in range(5)]
        messages.delete(member.id, UKM, ids[4])
        clear_terms()
        assert found(member) == []
        filler = TermFiller()
        for _time in range(3):
            filler.run()
        assert found(member) == ids[3::-1]
        gone = select(ChatMessage.search_text).where(ChatMessage.id == ids[4])
        assert db.session.scalar(gone) == ""
        clear_terms(ids[3])
        filler.run()  # not due: the filler has reached the newest message and pauses
        assert found(member) == ids[2::-1]
        filler._next = 0.0  # the pause is over
        filler.run()
        assert found(member) == ids[3::-1]


def clear_terms(*ids: int) -> None:
    """Delete the terms of these messages (or of all), as if an older version wrote them."""
    with transaction() as session:
        which = [ChatMessage.id.in_(ids)] if ids else []
        session.execute(update(ChatMessage).where(*which).values(search_text=""))


def found(person: User) -> list[int]:
    return [message.id for message in search.find(person.id, parse("rapat")).messages]
