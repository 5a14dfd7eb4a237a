"""Search in messages: what is found, by whom, and what is refused."""

import pytest
from flask import Flask
from sqlalchemy import select, update

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.actor import Actor
from myukm.domain.chat import messages, search
from myukm.domain.chat.search_query import parse
from myukm.domain.chat.snippets import snippet
from myukm.domain.ukm import memberships, moderation
from myukm.errors import Invalid, NotFound
from myukm.extensions import db
from myukm.models import ChatMessage, User
from tests.conftest import every_database
from tests.support.people import UKM

pytestmark = pytest.mark.usefixtures("no_flood_guard")


def say(user_id: int, text: str, client_id: str, code: str = UKM) -> ChatMessage:
    return messages.post(db.session.get_one(User, user_id), code, text, client_id)[0]


def found(user_id: int, text: str, code: str | None = UKM, before: int | None = None) -> list[str]:
    """Return the texts that are found, newest first."""
    page = search.find(user_id, parse(text), before, code)
    return [message.body for message in page.messages]


@every_database
def test_words_phrases_and_filters(app: Flask, people: dict[str, int]) -> None:
    member, friend = people["member"], people["friend"]
    with app.app_context():
        for n, text in enumerate(["Rapat besok, di aula", "besok rapat", "Jum'at: CAFÉ 🎉", "!?"]):
            say(member if n % 2 else friend, text, f"c{n}")
        assert found(member, "rapat") == ["besok rapat", "Rapat besok, di aula"]
        assert found(member, '"rapat besok"') == ["Rapat besok, di aula"]
        assert found(member, "di") == ["Rapat besok, di aula"]
        assert found(member, "rap") == []
        assert found(member, "jumat cafe 🎉") == ["Jum'at: CAFÉ 🎉"]
        assert found(member, "dari:lest") == ["!?", "besok rapat"]
        assert found(member, 'rapat dari:"farhan h"') == ["Rapat besok, di aula"]
        assert found(member, "rapat dari:zaki") == []
        assert found(member, f"rapat sejak:{utcnow().year - 1}") == found(member, "rapat")
        assert found(member, "sejak:2026 dari:farhan") == found(member, "dari:farhan")
        assert found(member, "sejak:9000") == found(member, "sejak:9000 rapat") == []


@every_database
def test_messages_of_more_authors_than_one_index_query_takes_are_found(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    member = people["member"]
    monkeypatch.setattr(search, "_authors", lambda _: [member, *range(1_000_000, 1_070_000)])
    with app.app_context():
        say(member, "rapat", "c1")
        assert found(member, "dari:a") == found(member, "rapat dari:a") == ["rapat"]


@every_database
def test_a_search_finds_edits_and_no_deleted_message_at_once(
    app: Flask, people: dict[str, int]
) -> None:
    member = people["member"]
    with app.app_context():
        edited = say(member, "kata lama", "c1")
        gone = say(member, "kata hilang", "c2")
        messages.edit(member, UKM, edited.id, "kata baru")
        assert found(member, "lama") == []
        assert found(member, "baru") == ["kata baru"]
        messages.delete(member, UKM, gone.id)
        assert found(member, "kata") == found(member, "dari:mega") == ["kata baru"]
        assert db.session.scalar(select(ChatMessage.search_text).filter_by(id=gone.id)) == ""


@every_database
def test_a_search_finds_only_messages_that_the_person_may_read(
    app: Flask, people: dict[str, int]
) -> None:
    member, friend = people["member"], people["friend"]
    with app.app_context():
        say(member, "rahasia robotik", "c1")
        with pytest.raises(NotFound):
            search.find(people["outsider"], parse("rahasia"), None, UKM)
        assert found(people["outsider"], "rahasia", None) == []
        assert found(friend, "rahasia", None) == ["rahasia robotik"]
        with transaction():
            memberships.get_membership(member, UKM).is_admin = True
        moderation.remove(Actor(user_id=member, name="Mega"), UKM, friend, block=True)
        assert found(friend, "rahasia", None) == []
        assert found(member, "rahasia", None) == ["rahasia robotik"]


@every_database
def test_authors_are_found_by_their_current_names(app: Flask, people: dict[str, int]) -> None:
    member = people["member"]
    with app.app_context():
        say(member, "halo", "c1")
        with transaction() as session:
            session.execute(update(User).filter_by(id=member).values(name="Nur Ma'ruf"))
        assert found(member, "dari:mega") == []
        assert found(member, "dari:maruf") == found(member, 'dari:"nur maruf" halo') == ["halo"]


@pytest.mark.parametrize(
    "text",
    [
        *("", " \n", '"', "''", "-*:()", '""', "dari:", 'dari:""', "sejak:", "sejak:besok"),
        *("ada:foto", "sejak:2026-13", "sejak:2026-02-30", "x" * 10_000),
        "a b c d e f g h i j k l m n o p q",
    ],
)
def test_an_empty_or_invalid_search_is_refused(app: Flask, text: str) -> None:
    with app.test_request_context(), pytest.raises(Invalid) as caught:
        parse(text)
    assert str(caught.value)


@every_database
def test_operators_of_the_databases_are_plain_text(app: Flask, people: dict[str, int]) -> None:
    member = people["member"]
    with app.app_context():
        say(member, "satu near dua", "c1")
        for text in (
            "satu*",
            "+satu -dua",
            'satu AND "near',
            "'; DROP TABLE ukm; -- satu",
            "satu:*",
        ):
            assert isinstance(found(member, text), list)
        for text in (
            "+satu",
            "(satu)",
            "satu*",
            '"satu',
            "satu & dua |",
            "NEAR",
            "@satu ~dua",
            "-dua",
        ):
            assert found(member, text) == ["satu near dua"], text
        assert found(member, "sat*") == found(member, "NEAR(satu") == found(member, "satu or") == []


@pytest.mark.parametrize(
    ("body", "asked", "shown"),
    [
        ("Rapat <b>besok</b>", "besok", "Rapat &lt;b&gt;<mark>besok</mark>&lt;/b&gt;"),
        ("Jum'at malam", "jumat", "<mark>Jum&#39;at</mark> malam"),
        ("CAFÉ é", '"cafe e"', "<mark>CAFÉ é</mark>"),
        ("a a a b", '"a a" b', "<mark>a a a</mark> <mark>b</mark>"),
        ("& <i>", "dari:mega", "&amp; &lt;i&gt;"),
        ("satu\ndua", "dua", "satu\n<mark>dua</mark>"),
    ],
)
def test_a_snippet_is_escaped_and_highlighted(
    app: Flask, body: str, asked: str, shown: str
) -> None:
    with app.test_request_context():
        assert snippet(body, parse(asked)) == shown


def test_a_snippet_of_a_long_message_is_the_part_around_the_hit(app: Flask) -> None:
    body = "awal " * 60 + "jarum " + "akhir " * 60
    with app.test_request_context():
        shown = snippet(body, parse("jarum"))
    assert shown.startswith("…awal ")
    assert shown.endswith("…")
    assert "<mark>jarum</mark>" in shown
    assert len(shown) < 280
