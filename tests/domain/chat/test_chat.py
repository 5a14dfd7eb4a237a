"""Messages: stored once, published once and in order, seen by members only."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import redis
from flask import Flask
from sqlalchemy import event, select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import event_rendering
from myukm.domain.chat import broadcast, history, messages
from myukm.domain.ukm import memberships, unread
from myukm.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, TooFast
from myukm.extensions import db
from myukm.jobs.chat import broadcast_chat_message
from myukm.live import pubsub
from myukm.live.topics import personal_topic
from myukm.models import ChatMessage, Membership, Ukm, User
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import HIGH
from tests.conftest import every_database
from tests.support.people import UKM
from tests.support.waiting import wait_until
from tests.support.without_valkey import lose_valkey

NEW = object()
People = dict[str, int]
Say = Callable[..., ChatMessage]


@pytest.fixture
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


@pytest.fixture
def say(inside: Flask, people: People) -> Say:
    """`say("Halo", who="member", client_id="c1")` posts to ROBOTIK."""
    count = iter(range(10_000))

    def post(text: object = "Halo", who: str = "member", client_id: object = NEW) -> ChatMessage:
        user = db.session.get_one(User, people[who])
        own = f"{who}-{next(count)}" if client_id is NEW else client_id
        return messages.post(user, UKM, text, own)[0]

    return post


def published() -> list[tuple[str, str]]:
    """Type and text of the events in ROBOTIK's topic."""
    entries = event_rendering.since(0, 1000, ["ukm:ROBOTIK"])
    return [(entry.type, json.loads(entry.data or "")["message"]) for entry in entries]


def unread_count(user_id: int) -> int:
    """Return how many messages of ROBOTIK the person has not read."""
    (found,) = unread.counts([user_id])[user_id]
    return int(found["count"])


def row(message: ChatMessage) -> ChatMessage:
    return db.session.get_one(ChatMessage, message.id, populate_existing=True)


@every_database
def test_messages_are_numbered_and_published_in_the_order_of_their_ids(say: Say) -> None:
    first, second, third = say("satu"), say("dua", "friend"), say("tiga")
    assert first.id < second.id < third.id
    assert [first.number, second.number, third.number] == [1, 2, 3]
    assert broadcast.publish(first.ukm_id) == 3
    assert broadcast.publish(first.ukm_id) == 0
    assert published() == [("chat.message", text) for text in ("satu", "dua", "tiga")]


@every_database
def test_a_second_post_with_the_same_client_id_returns_the_first_message(
    say: Say, people: People
) -> None:
    first = say("satu", client_id="x")
    assert say("lain sekali", client_id="x").id == first.id
    assert row(first).body == "satu"
    assert say("satu", "friend", client_id="x").id != first.id


@every_database
def test_concurrent_posts_with_one_client_id_store_one_message(app: Flask, people: People) -> None:
    ready, ids, errors = threading.Barrier(6), set(), []

    def post() -> None:
        with app.app_context():
            user = db.session.get_one(User, people["member"])
            ready.wait()
            try:
                ids.add(messages.post(user, UKM, "satu", "same")[0].id)
            except Exception as error:  # noqa: BLE001 (shown by the assertion)
                errors.append(error)

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with app.app_context():
        count = len(db.session.scalars(select(ChatMessage)).all())
    assert (errors, len(ids), count) == ([], 1, 1)


@every_database
def test_concurrent_publishers_publish_each_message_once(
    app: Flask, say: Say, people: People
) -> None:
    ukm_id = say("0").ukm_id
    for n in range(1, 15):
        say(str(n))
    ready, counts = threading.Barrier(4), []

    def publish() -> None:
        with app.app_context():
            ready.wait()
            counts.append(broadcast.publish(ukm_id))

    threads = [threading.Thread(target=publish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 15
    assert [text for _, text in published()] == [str(n) for n in range(15)]


def test_without_valkey_a_post_publishes_and_returns_its_message(say: Say, inside: Flask) -> None:
    """The commit of the post publishes the message, which loads the same row once more."""
    loaded: list[ChatMessage] = []
    lose_valkey(inside)
    event.listen(ChatMessage, "load", keep := lambda message, _: loaded.append(message))
    try:
        message = say("Halo")
    finally:
        event.remove(ChatMessage, "load", keep)
    assert row(message).published_at
    assert {each.id for each in loaded} <= {message.id}


def test_messages_of_several_batches_are_all_published(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "BATCH", 2)
    ukm_id = {say(str(n)).ukm_id for n in range(5)}.pop()
    assert broadcast.publish(ukm_id) == 5
    assert [text for _, text in published()] == ["0", "1", "2", "3", "4"]


def test_overdue_messages_are_published_without_a_worker(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcast, "OVERDUE_SECONDS", 0.05)
    overdue = broadcast.OverduePublisher()
    say("satu")
    overdue.run()
    assert published() == []
    say("dua")

    def overdue_are_published() -> bool:
        overdue.run()
        return published() != []

    wait_until(overdue_are_published)
    assert [text for _, text in published()] == ["satu", "dua"]
    say("tiga")
    overdue.run()
    assert len(published()) == 2


def test_an_error_in_one_ukm_keeps_no_other_from_being_published(
    say: Say, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = say("rusak").id
    with transaction() as session:
        others = [Ukm(code=code, join_code=code, name=code) for code in ("AWAL", "TARI")]
        session.add_all(others)
        session.flush()
        session.add_all(Membership(ukm_id=ukm.id, user_id=people["member"]) for ukm in others)
    user = db.session.get_one(User, people["member"])
    for code in ("AWAL", "TARI"):
        messages.post(user, code, "halo", f"halo-{code}")
    original = broadcast.append

    def append(message: ChatMessage, *args: str) -> None:
        if message.id == broken:
            raise ValueError("unreadable")
        original(message, *args)

    monkeypatch.setattr(broadcast, "append", append)
    monkeypatch.setattr(broadcast, "OVERDUE_SECONDS", 0.0)
    with pytest.raises(ValueError, match="unreadable"):
        broadcast.OverduePublisher().run()
    left = select(ChatMessage.id).where(ChatMessage.published_at.is_(None))
    assert list(db.session.scalars(left)) == [broken]


def test_a_job_that_could_not_be_queued_leaves_no_flag(
    say: Say, monkeypatch: pytest.MonkeyPatch, valkey: redis.Redis
) -> None:
    monkeypatch.setattr(broadcast, "enqueue", lambda *_: None)
    message = say("halo")
    assert published() == [("chat.message", "halo")], "published without a job"
    assert not valkey.exists(broadcast._queued_key(message.ukm_id))


def test_a_burst_enqueues_one_job_and_the_next_message_another(say: Say, inside: Flask) -> None:
    ukm_id = {say(str(n)).ukm_id for n in range(5)}.pop()
    assert get_queue(HIGH).count == 1
    assert broadcast_chat_message(ukm_id) == 5
    say("6")
    assert get_queue(HIGH).count == 2


@pytest.mark.parametrize(
    ("published_at", "seconds"),
    [
        (None, 0.0),
        (100.0, 0.0),
        (100.5 - 2 * broadcast.RUSH_SECONDS, 0.0),
        (100.5, broadcast.RUSH_SECONDS),
    ],
)
def test_only_in_a_rush_a_job_waits_for_more_messages(
    published_at: float | None, seconds: float
) -> None:
    assert broadcast.rest_of_rush(published_at, 100.5) == pytest.approx(seconds)


def test_a_job_for_a_deleted_ukm_publishes_nothing(inside: Flask, people: People) -> None:
    assert broadcast.broadcast(987_654) == 0


@pytest.mark.parametrize("stranger", ["outsider", "admin", "bendahara", "operator"])
def test_only_members_may_post_whatever_their_role(say: Say, stranger: str) -> None:
    with pytest.raises(NotFound):
        say("Halo", stranger)


BLANK = [
    "",
    "   ",
    "\n\t ",
    "\u200b\u200d\ufeff",
    "\u202e\u2066",
    "\x00\x07",
    "\u2800\u3164",
    "\ufe0f",
]


@pytest.mark.parametrize("text", [*BLANK, "x" * 1001, "é" * 1001])
def test_empty_and_too_long_messages_are_refused(say: Say, text: str) -> None:
    with pytest.raises(Invalid):
        say(text)
    assert db.session.scalars(select(ChatMessage)).all() == []


@pytest.mark.parametrize("client_id", ["", "x" * 65, "x" * 10_240, "a\x00b", "\ud800"])
def test_an_invalid_client_id_is_refused(say: Say, client_id: str) -> None:
    with pytest.raises(Invalid):
        say("Halo", client_id=client_id)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Halo \r\n dunia\x00\x1b \n", "Halo \n dunia"),
        ("e\u0301", "é"),
        ("👩\u200d🚀 🏳️\u200d🌈", "👩\u200d🚀 🏳️\u200d🌈"),
        ("<b>tebal</b> & javascript:alert(1)", "<b>tebal</b> & javascript:alert(1)"),
        ("setengah \ud83d pasang", "setengah  pasang"),
        ("e\u0301" * 1000, "é" * 1000),
        ("𝕏" * 1000, "𝕏" * 1000),
    ],
)
@every_database
def test_messages_are_stored_as_typed_without_invisible_characters(
    say: Say, typed: str, stored: str
) -> None:
    assert row(say(typed)).body == stored


def test_own_messages_are_not_unread(say: Say, people: People) -> None:
    say("satu"), say("dua", "friend")
    assert unread_count(people["member"]) == 1
    assert unread_count(people["friend"]) == 0


def test_a_burst_publishes_unread_counts_at_once_and_then_once_a_second(
    say: Say, people: People, valkey: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[tuple[str, int]] = []
    monkeypatch.setattr(
        pubsub,
        "publish_many",
        lambda events: published.extend((topic, data["count"]) for topic, _, data in events),
    )
    for n in range(3):
        broadcast.publish(say(str(n)).ukm_id)
    friend = personal_topic(people["friend"])
    assert [count for topic, count in published if topic == friend] == [1]
    unread.debounced.publish_pending()
    assert [count for topic, count in published if topic == friend] == [1], "the pause is not over"
    valkey.delete(*valkey.keys(f"{unread.debounced.key}:*"))
    unread.debounced.publish_pending()
    unread.debounced.publish_pending()
    assert [count for topic, count in published if topic == friend] == [1, 3]


def test_the_read_marker_only_moves_forward_and_within_its_ukm(say: Say, people: People) -> None:
    first, second = say("satu"), say("dua")
    friend = memberships.get_membership(people["friend"], UKM)
    unread.mark_read(friend, second.id)
    unread.mark_read(friend, first.id)
    assert unread_count(people["friend"]) == 0
    elsewhere = memberships.get_membership(people["outsider"], "PRAMUKA")
    for strange in (first.id, -1, 2**70):
        with pytest.raises(Invalid):
            unread.mark_read(elsewhere, strange)


def test_twenty_messages_in_ten_seconds_are_allowed_and_repeats_do_not_count(say: Say) -> None:
    for n in range(20):
        say(str(n), client_id=f"c{n}")
    with pytest.raises(TooFast) as refused:
        say("21")
    assert 0 < refused.value.retry_after <= 10
    assert say("0", client_id="c0").body == "0"
    say("orang lain", "friend")


def age_all(by: timedelta) -> None:
    with transaction() as session:
        for message in session.scalars(select(ChatMessage)):
            message.created_at -= by


def test_a_muted_member_can_neither_post_nor_edit(say: Say, people: People) -> None:
    mine = say("satu")
    mute(people["member"], utcnow() + timedelta(hours=1))
    with pytest.raises(Forbidden):
        say("dua")
    with pytest.raises(Forbidden):
        messages.edit(people["member"], UKM, mine.id, "diubah")
    mute(people["member"], utcnow() - timedelta(seconds=1))
    say("dua")


def mute(user_id: int, until: object) -> None:
    with transaction() as session:
        statement = update(Membership).where(Membership.user_id == user_id)
        session.execute(statement.values(muted_until=until))


def test_an_edit_before_the_publication_is_published_as_the_message(
    say: Say, people: People
) -> None:
    message = say("salah ketik")
    messages.edit(people["member"], UKM, message.id, "benar")
    broadcast.publish(message.ukm_id)
    assert published() == [("chat.message", "benar")]


@every_database
def test_an_edit_after_the_publication_is_published_as_an_event(say: Say, people: People) -> None:
    message = say("satu")
    broadcast.publish(message.ukm_id)
    edited = messages.edit(people["member"], UKM, message.id, "dua").as_json()
    assert (edited["message"], edited["edited_at"] is not None) == ("dua", True)
    assert published() == [("chat.message", "dua"), ("chat.edited", "dua")]


@every_database
def test_a_replay_contains_no_text_of_a_deleted_message(say: Say, people: People) -> None:
    other, message = say("tetap"), say("rahasia")
    broadcast.publish(message.ukm_id)
    messages.edit(people["member"], UKM, message.id, "rahasia lain")
    messages.delete(people["member"], UKM, message.id)
    messages.delete(people["member"], UKM, message.id)
    assert published() == [
        ("chat.message", "tetap"),
        ("chat.message", ""),
        ("chat.edited", ""),
        ("chat.deleted", ""),
    ]
    assert row(other).body == "tetap"
    assert row(message).as_json()["deleted"] is True


def test_who_may_edit_and_delete(say: Say, people: People) -> None:
    message = say("satu")
    refused: list[tuple[type[DomainError], Callable[[], object]]] = [
        (Forbidden, lambda: messages.edit(people["friend"], UKM, message.id, "x")),
        (Forbidden, lambda: messages.delete(people["friend"], UKM, message.id)),
        (NotFound, lambda: messages.edit(people["outsider"], UKM, message.id, "x")),
        (NotFound, lambda: messages.delete(people["outsider"], "PRAMUKA", message.id)),
        (NotFound, lambda: messages.delete(people["admin"], UKM, message.id)),
        (Invalid, lambda: messages.edit(people["member"], UKM, message.id, " ")),
    ]
    for error, attempt in refused:
        with pytest.raises(error):
            attempt()
    age_all(timedelta(minutes=16))
    with pytest.raises(Forbidden):
        messages.edit(people["member"], UKM, message.id, "terlambat")
    with transaction() as session:
        statement = update(Membership).where(Membership.user_id == people["friend"])
        session.execute(statement.values(is_admin=True))
    messages.delete(people["friend"], UKM, message.id)
    with pytest.raises(Conflict):
        messages.edit(people["member"], UKM, message.id, "kembali")


def test_a_page_holds_the_newest_messages_or_those_before_or_after_an_id(
    say: Say, people: People
) -> None:
    ids = [say(str(n), who).id for n, who in enumerate(["member", "friend"] * 5)]
    membership = memberships.get_membership(people["member"], UKM)

    def page(**where: int) -> list[int]:
        return [message.id for message in history.page(membership, **where)]

    assert page() == ids
    assert page(limit=3) == ids[-3:]
    assert page(before=ids[5], limit=3) == ids[2:5]
    assert page(after=ids[5], limit=3) == ids[6:9]
    assert page(after=ids[-1]) == []
