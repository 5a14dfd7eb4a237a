"""Messages that a process of an older version wrote, without terms, are found soon afterwards."""

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
def test_old_messages_get_terms_and_are_found(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_upkeep, "BATCH_IDS", 2)
    monkeypatch.setattr(search_upkeep, "RECHECKED_IDS", 2)
    with app.app_context():
        member = db.session.get_one(User, people["member"])
        said = [messages.post(member, UKM, f"rapat {n}", f"c{n}")[0].id for n in range(5)]
        messages.delete(member.id, UKM, said[4])
        written_by_an_older_process()
        assert found(member) == []
        filler = TermFiller()
        for _time in range(3):
            filler.run()
        assert found(member) == said[3::-1]
        gone = select(ChatMessage.search_text).where(ChatMessage.id == said[4])
        assert db.session.scalar(gone) == ""
        written_by_an_older_process(said[3])
        filler.run()  # not due, because it is at the end
        assert found(member) == said[2::-1]
        filler._next = 0.0
        filler.run()
        assert found(member) == said[3::-1]


def written_by_an_older_process(*ids: int) -> None:
    with transaction() as session:
        which = [ChatMessage.id.in_(ids)] if ids else []
        session.execute(update(ChatMessage).where(*which).values(search_text=""))


def found(person: User) -> list[int]:
    return [message.id for message in search.find(person.id, parse("rapat")).messages]
