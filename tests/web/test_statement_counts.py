"""Requests make a bounded number of database statements, whatever the size of the UKM."""

import sys
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, literal, select

from myukm.db.session import transaction
from myukm.domain import flood
from myukm.domain.chat import messages
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm, User
from tests.conftest import every_database
from tests.support.people import UKM
from tests.support.statements import recorded_statements

As = Callable[[str], FlaskClient]
MESSAGES = f"/ukm/{UKM}/messages"


def post(client: FlaskClient, number: int, **more: object) -> Any:
    answer = client.post(MESSAGES, json={"message": "Halo", "client_id": f"c{number}", **more})
    assert answer.status_code == 201, answer.text
    return answer.json


@every_database
def test_a_message_takes_at_most_six_statements(app: Flask, client_as: As) -> None:
    member = client_as("member")
    first = post(member, 1)
    with recorded_statements(app) as statements:
        post(member, 2)
    assert len(statements) <= 6, "\n".join(statements)
    with recorded_statements(app) as statements:
        quoting = post(member, 3, reply_to=first["id"])
    assert len(statements) <= 7, "\n".join(statements)
    assert quoting["reply_to"]["message"] == "Halo"


@every_database
def test_the_response_to_a_post_equals_the_stored_message(app: Flask, client_as: As) -> None:
    member, friend = client_as("member"), client_as("friend")
    posted = [post(client, n) for n, client in enumerate((member, friend, member))]
    read = member.get(MESSAGES).json["messages"]
    assert [message | {"reactions": []} for message in posted] == read
    with app.app_context():
        stored = db.session.scalars(select(ChatMessage).order_by(ChatMessage.id)).all()
        assert [message.number for message in stored] == [1, 2, 3]


@every_database
def test_a_member_removed_between_the_check_and_the_lock_cannot_post(
    app: Flask, client_as: As, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    member = client_as("member")

    def remove_meanwhile(user: User) -> None:
        flood.check_pace(user)
        with app.app_context(), transaction() as session:
            session.delete(session.query(Membership).filter_by(user_id=people["member"]).one())

    monkeypatch.setattr(messages, "check_pace", remove_meanwhile)
    answer = member.post(MESSAGES, json={"message": "Halo", "client_id": "late"})
    assert answer.status_code == 404
    with app.app_context():
        assert not db.session.query(ChatMessage).count()


@pytest.mark.parametrize("path", ["chat", "online", "names?q=warga 1", "messages", ""])
def test_a_request_costs_the_same_in_a_large_and_in_a_small_ukm(
    app: Flask, client_as: As, people: dict[str, int], path: str
) -> None:
    member, url = client_as("member"), f"/ukm/{UKM}/{path}" if path else "/ukm"

    def ask() -> None:
        answer = (
            member.post(url, json={"message": "@Warga9 halo", "client_id": token_hex(8)})
            if path == "messages"
            else member.get(url)
        )
        assert answer.status_code in (200, 201), answer.text

    enlarge(app, 50)
    small = calls_of(ask)
    enlarge(app, 3000)
    assert calls_of(ask) <= 1.3 * small


def test_messages_are_not_rendered_again_for_each_reader(
    app: Flask, client_as: As, no_flood_guard: None
) -> None:
    member, friend = client_as("member"), client_as("friend")
    post(member, 1)
    one = calls_of(lambda: friend.get(f"/ukm/{UKM}/chat"))
    for number in range(2, 51):
        post(member, number)
    assert calls_of(lambda: friend.get(f"/ukm/{UKM}/chat")) <= 2 * one


def test_cached_messages_depend_on_reader_language_and_text(client_as: As) -> None:
    member, friend = client_as("member"), client_as("friend")
    url, posted = f"/ukm/{UKM}/chat", post(member, 1)
    assert 'class="message mine"' in member.get(url).text
    assert 'class="message"' in friend.get(url).text
    friend.post("/language", data={"lang": "en"})
    edit = member.patch(f"{MESSAGES}/{posted['id']}", json={"message": "Hai"})
    assert edit.status_code == 200
    english, indonesian = friend.get(url).text, member.get(url).text
    assert ">edited</span>" in english
    assert ">diubah</span>" in indonesian
    assert "Delete this message?" in english
    assert "Hapus pesan ini?" in indonesian
    assert member.delete(f"{MESSAGES}/{posted['id']}").status_code == 204
    assert 'class="message deleted"' in friend.get(url).text


def enlarge(app: Flask, count: int) -> None:
    """Add `count` members to ROBOTIK."""
    with app.app_context(), transaction() as session:
        ukm_id = session.scalars(select(Ukm.id).filter_by(code=UKM)).one()
        people = [
            {"nim": f"w{count}-{n}", "name": f"Warga{n} {count}", "password_hash": ""}
            for n in range(count)
        ]
        session.execute(insert(User), people)
        columns = ["ukm_id", "user_id", "is_admin", "read_number", "joined_at"]
        new = select(literal(ukm_id), User.id, literal(False), literal(0), User.created_at).where(
            User.nim.startswith(f"w{count}-")
        )
        session.execute(insert(Membership).from_select(columns, new))


def calls_of(act: Callable[[], None]) -> int:
    """Return how many function calls `act` makes, because seconds would depend on the machine."""
    act()  # fills the caches
    count = 0

    def count_call(_frame: object, kind: str, _arg: object) -> None:
        nonlocal count
        count += kind in ("call", "c_call")

    sys.setprofile(count_call)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count
