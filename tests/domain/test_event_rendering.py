"""The event log contains no text and no name; a replay has the current ones."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete

from myukm.db.session import transaction
from myukm.domain import event_rendering
from myukm.domain.chat import broadcast, messages, reactions
from myukm.domain.ukm import state as ukm_state
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.event_log import Event
from myukm.models import ChatMessage, Ukm, User
from tests.conftest import every_database
from tests.support.people import UKM
from tests.support.statements import recorded_statements

People = dict[str, int]


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def post(people: People, *texts: str, reply_to: int | None = None) -> list[ChatMessage]:
    """Post texts of the member and publish them."""
    member = db.session.get_one(User, people["member"])
    posted = [messages.post(member, UKM, text, text, reply_to)[0] for text in texts]
    broadcast.publish(posted[0].ukm_id)
    return posted


def replayed() -> list[tuple[str, Any]]:
    found = event_rendering.since(0, 1000, [f"ukm:{UKM}"])
    return [(one.type, one.data and json.loads(one.data)) for one in found]


@every_database
def test_the_log_stores_no_text_and_no_name(inside: Flask, people: People) -> None:
    first, _second = post(people, "rahasia besar", "lagi")
    messages.edit(people["member"], UKM, first.id, "rahasia lain")
    with transaction():
        ukm_state.publish_changed(db.session.get_one(Ukm, first.ukm_id))
    stored = json.dumps([one.data for one in db.session.query(Event)])
    assert len(json.loads(stored)) >= 4
    assert not [word for word in ("rahasia", "lagi", "Mega") if word in stored]


@every_database
def test_a_replay_has_the_current_text(inside: Flask, people: People) -> None:
    first, second = post(people, "satu", "dua")
    (reply,) = post(people, "jawaban", reply_to=first.id)
    messages.edit(people["member"], UKM, first.id, "satu, diubah")
    messages.delete(people["member"], UKM, second.id)
    texts = [(kind, data["id"], data["message"], data["deleted"]) for kind, data in replayed()]
    assert texts == [
        ("chat.message", first.id, "satu, diubah", False),
        ("chat.message", second.id, "", True),
        ("chat.message", reply.id, "jawaban", False),
        ("chat.edited", first.id, "satu, diubah", False),
        ("chat.deleted", second.id, "", True),
    ]
    assert replayed()[2][1]["reply_to"]["message"] == "satu, diubah"


@every_database
def test_the_event_of_a_deleted_row_is_replayed_with_its_number_only(
    inside: Flask, people: People
) -> None:
    first, second = post(people, "satu", "dua")
    with transaction() as session:
        session.execute(delete(ChatMessage).where(ChatMessage.id == first.id))
    found = event_rendering.since(0, 1000)
    assert [one.seq for one in found] == [1, 2]
    assert found[0].data is None
    assert json.loads(found[1].data or "")["id"] == second.id


def test_a_replay_of_many_events_needs_as_many_statements_as_of_few(
    inside: Flask, people: People
) -> None:
    def count_statements() -> int:
        db.session.expunge_all()
        with recorded_statements(inside) as statements:
            event_rendering.since(0, 1000)
        return len(statements)

    first = post(people, "satu")[0]
    post(people, "jawaban", reply_to=first.id)
    few = count_statements()
    for n in range(5):
        post(people, f"pesan {n}", reply_to=first.id)
    assert count_statements() == few


@every_database
def test_reactions_to_a_deleted_message_are_not_replayed(inside: Flask, people: People) -> None:
    kept, deleted = post(people, "satu", "dua")
    for message in (kept, deleted):
        reactions.add(people["friend"], UKM, message.id, "❤️")
    messages.delete(people["member"], UKM, deleted.id)
    found = [data for kind, data in replayed() if kind == "chat.reaction"]
    expected = {"ukm": UKM, "message_id": kept.id, "user_id": people["friend"], "emoji": "❤️"}
    assert found == [expected | {"on": True, "count": 1}, None]


def test_events_with_copies_from_an_older_version_are_replayed_with_current_texts(
    inside: Flask, people: People
) -> None:
    edited, deleted = post(people, "satu", "dua")
    with transaction():
        for message in (edited, deleted):
            event_log.append(f"ukm:{UKM}", "chat.message", message.as_json())
        event_log.append(f"ukm:{UKM}", "ukm.changed", {"ukm": UKM, "pin": {"text": "dua"}})
    messages.edit(people["member"], UKM, edited.id, "satu, diubah")
    messages.delete(people["member"], UKM, deleted.id)
    older = replayed()[2:5]
    assert [data and data["message"] for _, data in older[:2]] == ["satu, diubah", ""]
    assert older[2] == ("ukm.changed", None)


def test_an_event_without_a_subject_is_replayed_as_it_was_stored(inside: Flask) -> None:
    with transaction():
        event_log.append("alert", "alert", {"code": "disk"})
    (found,) = event_rendering.since(0, 10)
    assert (found.type, json.loads(found.data or "")) == ("alert", {"code": "disk"})
