"""Who has read an announcement: counted from the read marker, published in batches."""

from collections.abc import Callable

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from redis.exceptions import RedisError
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.chat import messages, pins
from myukm.domain.ukm import memberships, readers, unread
from myukm.domain.ukm import state as ukm_state
from myukm.domain.ukm.debounce import Debounced
from myukm.extensions import db
from myukm.live import pubsub
from myukm.models import Membership, Ukm, User
from tests.conftest import every_database
from tests.support.people import UKM
from tests.support.statements import recorded_statements
from tests.support.without_valkey import lose_valkey

ClientAs = Callable[[str], FlaskClient]
People = dict[str, int]
CAMPUS = Actor("Siti Rahma", campus=True)
JSON = {"Accept": "application/json"}


def say(people: People, text: str = "Halo") -> int:
    author = db.session.get_one(User, people["friend"])
    return messages.post(author, UKM, text, text)[0].id


def view_chat(people: People, who: str, message_id: int) -> None:
    unread.mark_read(memberships.get_membership(people[who], UKM), message_id)


def numbers() -> tuple[int, int]:
    ukm = db.session.query(Ukm).filter_by(code=UKM).one()
    pin = ukm_state.pin(ukm.id)
    assert pin
    return pin["read"], pin["members"]


@every_database
def test_a_member_who_views_the_chat_after_the_pin_has_read_it(app: Flask, people: People) -> None:
    with app.app_context():
        first = say(people)
        view_chat(people, "member", first)
        pins.pin_text(CAMPUS, UKM, "Besok rapat")
        assert numbers() == (0, 2), "a view before the pin does not count"
        view_chat(people, "member", first)
        assert numbers() == (1, 2), "a view without a new message counts"
        membership = memberships.get_membership(people["member"], UKM)
        assert membership.read_number == 1
        say(people, "lagi")
        view_chat(people, "member", first)
        assert numbers() == (1, 2)
        memberships.join(people["outsider"], UKM)
        assert numbers() == (1, 3), "a new member has not read it"
        view_chat(people, "outsider", first)
        membership = memberships.get_membership(people["outsider"], UKM)
        assert (numbers(), membership.read_number) == ((2, 3), 2), "the marker does not go back"
        memberships.leave(people["outsider"], UKM)
        assert numbers() == (1, 2)
        pins.pin_message(CAMPUS, UKM, first)
        assert numbers() == (0, 2), "nobody has read the new announcement"


def test_an_announcement_is_read_in_a_chat_without_messages(app: Flask, people: People) -> None:
    with app.app_context():
        pins.pin_text(CAMPUS, UKM, "Besok rapat")
        assert numbers() == (0, 2)
        view_chat(people, "member", 0)
        assert numbers() == (1, 2)
        assert memberships.get_membership(people["member"], UKM).read_number == 0


def test_reading_again_does_not_update_the_read_marker(app: Flask, people: People) -> None:
    with app.app_context():
        message_id = say(people)
        pins.pin_text(CAMPUS, UKM, "Besok rapat")
        view_chat(people, "member", message_id)
        with recorded_statements(app) as statements:
            view_chat(people, "member", message_id)
        assert "read_at" not in " ".join(s for s in statements if s.startswith("UPDATE"))


def test_many_readers_at_once_cause_few_events(
    app: Flask, people: People, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        message_id = say(people)
        pins.pin_text(CAMPUS, UKM, "Besok rapat")
        published: list[dict[str, object]] = []
        monkeypatch.setattr(
            pubsub,
            "publish_transient",
            lambda _topic, kind, data: published.append(data) if kind == "ukm.readers" else None,
        )
        view_chat(people, "member", message_id)
        view_chat(people, "friend", message_id)
        assert published == [{"ukm": UKM, "read": 1, "members": 2}]
        readers.debounced.publish_pending()
        assert len(published) == 1, "not before the pause is over"
        valkey.delete(*valkey.keys(f"{readers.debounced.key}:*"))
        readers.debounced.publish_pending()
        assert published[1:] == [{"ukm": UKM, "read": 2, "members": 2}]
        readers.debounced.publish_pending()
        assert len(published) == 2


def test_members_see_the_number_of_readers_and_admins_the_names(
    app: Flask, people: People, client_as: ClientAs
) -> None:
    with app.app_context():
        message_id = say(people)
        pins.pin_text(CAMPUS, UKM, "Besok <rapat>")
        view_chat(people, "friend", message_id)
        with transaction() as session:
            mine = Membership.user_id == people["member"]
            session.execute(update(Membership).where(mine).values(is_admin=True))
    friend, member = client_as("friend"), client_as("member")
    pin = friend.get(f"/ukm/{UKM}/state").get_json()["pin"]
    assert (pin["read"], pin["members"]) == (1, 2)
    assert friend.get(f"/ukm/{UKM}/readers").status_code == 403
    assert client_as("outsider").get(f"/ukm/{UKM}/readers").status_code == 404
    found = member.get(f"/ukm/{UKM}/readers", headers=JSON).get_json()
    assert [one["name"] for one in found["people"]] == ["Farhan Hakim"]
    assert (found["read"], found["members"], found["total"]) == (1, 2, 1)
    others = member.get(f"/ukm/{UKM}/readers?unread=1", headers=JSON).get_json()
    assert [one["name"] for one in others["people"]] == ["Mega Lestari"]
    page = member.get(f"/ukm/{UKM}/readers").text
    assert "Besok &lt;rapat&gt;" in page
    assert "Sudah (1)" in page
    assert "Dibaca 1 dari 2 anggota" in member.get(f"/ukm/{UKM}/manage").text
    member.post(f"/ukm/{UKM}/unpin")
    assert "Tidak ada pengumuman" in member.get(f"/ukm/{UKM}/readers").text


def test_failed_publications_are_retried(app: Flask, valkey: redis.Redis) -> None:
    published, broken, unsent = [], {1, 3}, {4}

    def publish(ukm_id: int) -> bool:
        if ukm_id in broken:
            raise OperationalError("", None, Exception())
        if ukm_id in unsent:
            return False
        published.append(ukm_id)
        return True

    debounced = Debounced("myukm:test", 60_000, publish)
    with app.app_context():
        with pytest.raises(OperationalError):
            debounced.publish(1)
        valkey.sadd(debounced.key, 2, 3, 4)
        valkey.delete(*valkey.keys(f"{debounced.key}:*"))
        with pytest.raises(OperationalError):
            debounced.publish_pending()
        broken.clear()
        valkey.delete(*valkey.keys(f"{debounced.key}:*"), "nothing")
        debounced.publish_pending()
        assert valkey.smembers(debounced.key) == {b"4"}, "Valkey did not accept it"
        unsent.clear()
        for _ in range(3):
            valkey.delete(*valkey.keys(f"{debounced.key}:*"), "nothing")
            debounced.publish_pending()
    assert sorted(published) == [1, 2, 3, 4]


def test_publications_wait_until_valkey_is_back(app: Flask, valkey: redis.Redis) -> None:
    published: list[int] = []

    def publish(ukm_id: int) -> bool:
        lose_valkey(app)
        published.append(ukm_id)
        return True

    debounced = Debounced("myukm:test", 60_000, publish)
    valkey.sadd(debounced.key, 1, 2, 3)
    with app.app_context(), pytest.raises(RedisError):
        debounced.publish_pending()
    assert len(published) == 1
    waiting = {int(member) for member in valkey.smembers(debounced.key)}
    assert waiting == {1, 2, 3} - set(published)
