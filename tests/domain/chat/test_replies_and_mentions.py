"""Replies, mentions, reactions, unread counts and notification levels."""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import event_rendering
from myukm.domain.chat import addressees, broadcast, history, mentions, messages, reactions
from myukm.domain.ukm import memberships, my_list, notification_settings, unread
from myukm.errors import Conflict, Forbidden, Invalid, NotFound
from myukm.extensions import db
from myukm.live import event_log
from myukm.models import ChatMessage, Membership, Ukm, User
from myukm.web.ukm import memberships as ukm_pages
from tests.conftest import every_database
from tests.support.people import UKM
from tests.support.programs import ROOT

People = dict[str, int]
LIKE, LAUGH = "👍", "😂"


@pytest.fixture(autouse=True)
def inside(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


@pytest.fixture
def say(people: People) -> Any:
    """`say("Halo", who="member", reply_to=None)` posts to ROBOTIK."""
    count = iter(range(10_000))

    def post(text: str, who: str = "member", reply_to: Any = None) -> ChatMessage:
        user = db.session.get_one(User, people[who])
        return messages.post(user, UKM, text, f"c{next(count)}", reply_to)[0]

    return post


def events(kind: str) -> list[dict[str, Any]]:
    entries = event_rendering.since(0, 1000, [f"ukm:{UKM}"])
    return [json.loads(entry.data) for entry in entries if entry.type == kind and entry.data]


def enter(people: People, *names: str) -> list[int]:
    """Create members of ROBOTIK with these names; return their ids."""
    ukm_id = memberships.get_membership(people["member"], UKM).ukm_id
    with transaction() as session:
        users = [
            User(nim=f"m{n}-{name}"[:32], name=name, role="anggota", password_hash="-")
            for n, name in enumerate(names)
        ]
        session.add_all(users)
        session.flush()
        session.add_all(Membership(ukm_id=ukm_id, user_id=user.id) for user in users)
    return [user.id for user in users]


@every_database
def test_a_reply_quotes_the_author_and_the_first_line_of_its_message(
    say: Any, people: People
) -> None:
    first = say("baris satu 😀\nbaris dua")
    say("jawaban", "friend", first.id)
    broadcast.publish(first.ukm_id)
    quote = {
        "id": first.id,
        "user_id": people["member"],
        "name": "Mega Lestari",
        "message": "baris satu 😀",
        "deleted": False,
        "files": 0,
    }
    assert [event["reply_to"] for event in events("chat.message")] == [None, quote]
    membership = memberships.get_membership(people["friend"], UKM)
    assert [each["reply_to"] for each in history.as_seen(history.page(membership), 0)] == [
        None,
        quote,
    ]


@every_database
def test_a_replay_does_not_quote_a_deleted_message(say: Any, people: People) -> None:
    first = say("rahasia")
    say("jawaban", "friend", first.id), say("lain", "friend")
    broadcast.publish(first.ukm_id)
    messages.delete(people["member"], UKM, first.id)
    _, reply, other = events("chat.message")
    assert (reply["message"], reply["reply_to"]["message"]) == ("jawaban", "")
    assert (reply["reply_to"]["deleted"], other["reply_to"]) == (True, None)
    assert "rahasia" not in json.dumps(events("chat.message") + events("chat.deleted"))
    late = say("masih menjawab", "friend", first.id).as_json()["reply_to"]
    assert (late["message"], late["deleted"]) == ("", True)


@pytest.mark.parametrize("strange", [0, -1, 2**70, 987_654])
def test_a_reply_to_an_unknown_message_is_refused(say: Any, strange: int) -> None:
    with pytest.raises(NotFound):
        say("jawaban", reply_to=strange)


def test_a_reply_across_ukms_is_refused(say: Any, people: People) -> None:
    here = say("di sini")
    outsider = db.session.get_one(User, people["outsider"])
    with pytest.raises(NotFound):
        messages.post(outsider, "PRAMUKA", "jawaban", "c", here.id)


@every_database
def test_an_at_sign_mentions_members_by_full_or_unique_first_name(say: Any, people: People) -> None:
    twins = enter(people, "Rani Wijaya", "Rani Wijaya", "Rani Dewi", "Éva Ö'Neil 🌙")
    member, friend = people["member"], people["friend"]
    expected: list[tuple[str, list[int]]] = [
        ("@Mega Lestari, ayo", [member]),
        ("@mega", [member]),
        ("(@FARHAN HAKIM) dan @Mega Lestari!", [friend, member]),
        ("@Rani", []),
        ("@rani wijaya?", twins[:2]),
        ("@Rani Dewi @Rani Dewi", twins[2:3]),
        ("hai @éva ö'neil 🌙 hai", twins[3:]),
        ("surat@Mega.id, @ Mega, @Rudi Hartono, @Megantara", []),
        ("Mega Lestari", []),
    ]
    for text, named in expected:
        ukm_id = memberships.get_membership(member, UKM).ukm_id
        assert sorted(mentions.mentioned(ukm_id, text) or []) == sorted(named), text
    assert say("@Farhan Hakim").as_json()["mentions"] == [friend]


def test_the_longest_matching_name_is_mentioned_whatever_sign_follows(people: People) -> None:
    ukm_id = memberships.get_membership(people["member"], UKM).ukm_id
    budi, santoso, bang, ruf = enter(people, "Budi", "Budi Santoso", "Ana Budi", "Ma’ruf Amin")
    for sign in ("'s", "’s", "", *"*—–,/.;:!?)]}\"”`~_…'-\n "):
        for text in (
            f"@Budi Santoso{sign}",
            f"*_(@budi  SANTOSO{sign} rapat",
            f"—@Budi Santoso{sign}",
        ):
            assert mentions.mentioned(ukm_id, text) == [santoso], text
        assert mentions.mentioned(ukm_id, f"@Budi{sign}") == [budi], sign
    assert mentions.mentioned(ukm_id, "@Budi Santoso/@Budi,@Ana Budi") == [santoso, budi, bang]
    assert mentions.mentioned(ukm_id, "@Ma'ruf AMIN's") == [ruf]
    for text in ("@Budiman", "@Budi_99", "@Budi2 Santoso"):
        assert mentions.mentioned(ukm_id, text) is None, text


CASES = json.loads((ROOT / "tests/mention_cases.json").read_text())


def test_the_server_finds_the_mentions_that_the_page_marks(people: People) -> None:
    ukm_id = memberships.get_membership(people["member"], UKM).ukm_id
    budi, santoso = enter(people, "Budi", "Budi Santoso")
    for case in CASES:
        named = [budi if mark == "@Budi" else santoso for mark in case["marked"]]
        found = mentions.mentioned(ukm_id, case["text"])
        assert found == (list(dict.fromkeys(named)) or None), case["text"]


def test_thousands_of_backticks_cost_little(people: People) -> None:
    ukm_id = memberships.get_membership(people["member"], UKM).ukm_id
    for text in ("`" * 4000, "`" * 2000 + "a" * 2000):
        before = time.thread_time()
        assert mentions.mentioned(ukm_id, text) is None
        assert time.thread_time() - before < 0.5, "seconds of CPU for one message"


def test_an_edit_replaces_the_mentions_and_a_deletion_removes_them(
    say: Any, people: People
) -> None:
    message = say("@Farhan")
    assert messages.edit(people["member"], UKM, message.id, "@Mega").mentions == [people["member"]]
    messages.delete(people["member"], UKM, message.id)
    assert message.as_json()["mentions"] == []


def test_suggestions_have_a_word_that_begins_with_the_typed_text(people: People) -> None:
    enter(people, *[f"Anggota Nomor {n}" for n in range(20)], "Nomi Lestari")
    ukm_id = memberships.get_membership(people["member"], UKM).ukm_id

    def names(start: str) -> list[object]:
        return [each["name"] for each in mentions.suggest(ukm_id, start)]

    assert names("lest") == ["Mega Lestari", "Nomi Lestari"]
    assert names("nomi L") == ["Nomi Lestari"]
    assert names("zzz") == names("Rudi") == []
    assert len(names("nomor")) == len(names("")) == 8


def test_suggestions_name_the_right_members_when_one_joined_since_a_mention(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of the mention are too old after 5 s, those of the first suggestion are not yet."""
    elapsed = [1000.0]
    monkeypatch.setattr("myukm.cache.time", SimpleNamespace(monotonic=lambda: elapsed[0]))
    enter(people, "Zul Fikar")
    ukm_id = memberships.get_membership(people["member"], UKM).ukm_id
    mentions.mentioned(ukm_id, "@siapa")
    elapsed[0] += 4
    assert [each["name"] for each in mentions.suggest(ukm_id, "zul")] == ["Zul Fikar"]
    with transaction() as session:
        session.execute(update(User).where(User.name == "Zul Fikar").values(blocked_at=utcnow()))
    enter(people, "Aa Pertama")
    elapsed[0] += 2
    assert [each["name"] for each in mentions.suggest(ukm_id, "zul")] == ["Zul Fikar"]
    elapsed[0] += 4
    assert mentions.suggest(ukm_id, "zul") == []


def test_suggestions_and_mentions_ignore_accents_and_apostrophes(people: People) -> None:
    (maruf,) = enter(people, "Ma’ruf Søren")
    ukm_id = memberships.get_membership(people["member"], UKM).ukm_id
    for start in ("maruf", "Ma'ruf", "ma´ruf so", "SOREN"):
        assert [each["name"] for each in mentions.suggest(ukm_id, start)] == ["Ma’ruf Søren"], start
    for typed in ("@Ma'ruf", "@ma′ruf", "@Maʿruf Søren"):
        assert mentions.mentioned(ukm_id, f"{typed}, apa kabar?") == [maruf], typed


@every_database
def test_a_reaction_counts_once_per_person_and_emoji_and_is_published(
    say: Any, people: People
) -> None:
    message = say("Halo")
    member, friend = people["member"], people["friend"]
    for _ in range(2):
        reactions.add(friend, UKM, message.id, LIKE)
    reactions.add(friend, UKM, message.id, "❤️")
    shown = reactions.add(member, UKM, message.id, LIKE)
    assert shown == [
        {"emoji": LIKE, "count": 2, "mine": True},
        {"emoji": "❤️", "count": 1, "mine": False},
    ]
    for _ in range(2):
        shown = reactions.remove(member, UKM, message.id, LIKE)
    assert shown[0] == {"emoji": LIKE, "count": 1, "mine": False}
    published = [(each["user_id"], each["on"], each["count"]) for each in events("chat.reaction")]
    assert published == [
        (friend, True, 1),
        (friend, True, 1),
        (member, True, 2),
        (member, False, 1),
    ]


def test_publishing_many_messages_needs_as_many_statements_as_one(
    say: Any, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    monkeypatch.setattr(unread.debounced, "publish", lambda ukm_id: None)
    event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    first = say("Halo")

    def queries() -> int:
        db.session.expunge_all()
        statements.clear()
        broadcast.publish(first.ukm_id)
        return len(statements)

    queries()  # the first job also queries which queues are paused
    say("Halo lagi")
    one = queries()
    for n in range(9):
        say(str(n))
    assert queries() == one
    for n in range(9):
        say(str(n), "friend", first.id)
    assert queries() == one + 1


def test_a_reaction_is_published_after_its_message(say: Any, people: People) -> None:
    message = say("Halo")
    reactions.add(people["friend"], UKM, message.id, LIKE)
    assert [entry.type for entry in event_log.since(0, 9)] == ["chat.message", "chat.reaction"]
    assert broadcast.publish(message.ukm_id) == 0


def test_deleting_a_message_deletes_its_reactions(say: Any, people: People) -> None:
    message = say("Halo")
    reactions.add(people["friend"], UKM, message.id, LIKE)
    messages.delete(people["member"], UKM, message.id)
    assert reactions.of([message.id], people["friend"]) == {}
    with pytest.raises(Conflict):
        reactions.add(people["friend"], UKM, message.id, LIKE)


@pytest.mark.parametrize("emoji", ["", "👎", "👍👍", "x", "❤", "👍" * 100])
def test_other_emoji_are_refused_as_reactions(say: Any, people: People, emoji: str) -> None:
    with pytest.raises(Invalid):
        reactions.add(people["friend"], UKM, say("Halo").id, emoji)


def test_only_members_of_the_ukm_may_react(say: Any, people: People) -> None:
    message = say("Halo")
    for who, code in (("outsider", UKM), ("outsider", "PRAMUKA"), ("admin", UKM)):
        with pytest.raises(NotFound):
            reactions.add(people[who], code, message.id, LIKE)
        with pytest.raises(NotFound):
            reactions.remove(people[who], code, message.id, LIKE)


def test_muted_members_and_members_of_an_archived_ukm_cannot_react(
    say: Any, people: People
) -> None:
    message = say("Halo")
    membership = memberships.get_membership(people["friend"], UKM)
    with transaction():
        membership.muted_until = message.created_at + timedelta(days=365)
    with pytest.raises(Forbidden):
        reactions.add(people["friend"], UKM, message.id, LIKE)
    with transaction() as session:
        session.get_one(Ukm, membership.ukm_id).archived_at = message.created_at
    for attempt in (
        lambda: reactions.add(people["member"], UKM, message.id, LAUGH),
        lambda: say("tertutup"),
        lambda: messages.edit(people["member"], UKM, message.id, "lain"),
    ):
        with pytest.raises(Conflict):
            attempt()


def addressed(people: People, who: str) -> list[str]:
    return [message.body for message in addressees.messages_for(people[who])]


def test_the_page_of_mentions_leads_to_an_older_one_only_if_there_is_one(
    say: Any, people: People, client_as: Callable[[str], FlaskClient], monkeypatch: Any
) -> None:
    monkeypatch.setattr(ukm_pages, "MENTIONS_PER_PAGE", 2)
    say("@Farhan satu"), say("@Farhan dua")
    friend = client_as("friend")
    assert 'href="?before=' not in friend.get("/ukm/mentions").text
    say("@Farhan tiga")
    first = friend.get("/ukm/mentions").text
    assert first.count('class="mention-text"') == 2
    (before,) = re.findall(r'href="\?before=(\d+)', first)
    second = friend.get(f"/ukm/mentions?before={before}").text
    assert "@Farhan satu" in second
    assert 'href="?before=' not in second


@every_database
def test_messages_that_address_a_person_are_listed_newest_first(say: Any, people: People) -> None:
    say("@Farhan satu"), say("bukan untuk Farhan"), say("@Mega saya sendiri")
    own = say("punya Farhan", "friend")
    answer = say("jawaban @Farhan", reply_to=own.id)
    assert addressed(people, "friend") == ["jawaban @Farhan", "@Farhan satu"]
    assert addressed(people, "member") == []
    (older,) = addressees.messages_for(people["friend"], before=answer.id)
    assert older.body == "@Farhan satu"
    messages.edit(people["member"], UKM, older.id, "@Rudi satu")
    messages.delete(people["member"], UKM, answer.id)
    assert addressed(people, "friend") == []
    messages.edit(people["member"], UKM, older.id, "@farhan lagi")
    assert addressed(people, "friend") == ["@farhan lagi"]
    memberships.leave(people["friend"], UKM)
    assert addressed(people, "friend") == []


@every_database
def test_deleted_messages_are_not_unread(say: Any, people: People) -> None:
    sent = [say(f"pesan {n}") for n in range(4)]
    membership = memberships.get_membership(people["friend"], UKM)
    unread.mark_read(membership, sent[0].id)
    messages.delete(people["member"], UKM, sent[1].id)
    messages.delete(people["member"], UKM, sent[0].id)
    [published] = unread.counts([people["friend"]])[people["friend"]]
    assert unread.count(membership) == published["count"] == 2
    assert [ukm.unread for ukm in my_list.list_for(people["friend"])] == [2]
    assert history.first_unread(membership) == sent[2].id


def test_a_deletion_publishes_the_unread_counts_again(
    say: Any, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = say("segera dihapus")
    published: list[int] = []
    monkeypatch.setattr(unread.debounced, "publish", published.append)
    messages.delete(people["member"], UKM, message.id)
    assert published == [message.ukm_id]


def test_marking_a_message_unread_marks_all_later_ones_too(say: Any, people: People) -> None:
    first, second, third = say("satu"), say("dua"), say("tiga")
    membership = memberships.get_membership(people["friend"], UKM)
    unread.mark_read(membership, second.id)
    unread.mark_unread(membership, third.id)
    assert unread.count(membership) == 1, "an unread message stays unread"
    unread.mark_unread(membership, first.id)
    assert unread.count(membership) == 3
    elsewhere = memberships.get_membership(people["outsider"], "PRAMUKA")
    for strange in (first.id, 0, 2**70):
        with pytest.raises(NotFound):
            unread.mark_unread(elsewhere, strange)


def test_the_first_unread_message_follows_the_last_read_one(say: Any, people: People) -> None:
    membership = memberships.get_membership(people["friend"], UKM)
    assert history.first_unread(membership) is None
    first, _ = say("satu"), say("dua")
    assert history.first_unread(membership) == first.id
    unread.mark_read(membership, first.id)
    db.session.refresh(membership)
    assert history.first_unread(membership) != first.id


def test_the_notification_level_is_per_ukm_and_part_of_the_unread_counts(people: People) -> None:
    membership = memberships.get_membership(people["friend"], UKM)
    assert unread.counts([people["friend"]])[people["friend"]][0]["notices"] == "all"
    for choice in notification_settings.LEVELS:
        notification_settings.set_level(membership, choice)
        assert unread.counts([people["friend"]])[people["friend"]][0]["notices"] == choice
    for strange in ("", "ALL", None, 1, ["all"], {}):
        with pytest.raises(Invalid):
            notification_settings.set_level(membership, strange)
    assert unread.counts([people["member"]])[people["member"]][0]["notices"] == "all"
