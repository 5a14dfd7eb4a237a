"""Random messages of random members: the search finds what a search in plain Python finds."""

import random
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import insert, select

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.chat import messages, search, search_plan
from myukm.domain.chat.search_query import parse
from myukm.errors import NotFound
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm
from tests.conftest import every_database

pytestmark = pytest.mark.usefixtures("no_flood_guard")
WORDS = [
    "rapat",
    "Rapat",
    "besok",
    "di",
    "a",
    "yang",
    "Ma'ruf",
    "maruf",
    "café",
    "the",
    "🎉",
    "سلام",
]
WORDS += ["kampus.ac.id", "x" * 90, "buku-buku", "17", "NEAR", "u1_rapat"]
PARTS = ["rapat", "besok", "di", "a", "yang", "maruf", "CAFE", "the", "🎉", "سلام", "kampus", "17"]
PARTS += [
    "x" * 90,
    '"rapat besok"',
    '"di a"',
    "buku",
    "kampus.ac.id",
    "near",
    '"yang yang"',
    "u1_rapat",
]


@every_database
def test_random_messages_are_found_as_by_a_search_in_python(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Small limits, so that a few hundred messages exceed them.
    monkeypatch.setattr(search_plan, "NEWEST", 40)
    monkeypatch.setattr(search_plan, "NEWEST_IDS", 60)
    monkeypatch.setattr(search_plan, "CANDIDATES", 30)
    monkeypatch.setattr(messages, "EDIT_WITHIN", timedelta(days=9999))
    rng = random.Random(19)
    with app.app_context():
        talk = Talk(rng, list(people.values()))
        talk.fill(600)
        for _ in range(12):
            talk.change()
            for user_id in people.values():
                text = talk.query()
                for code in (None, rng.choice(talk.codes)):
                    assert all_pages(user_id, text, code) == talk.answer(user_id, text, code), text


def all_pages(user_id: int, text: str, code: str | None) -> list[int] | None:
    """Return the ids on all pages of the search, None if the person is not in the UKM."""
    ids: list[int] = []
    before = None
    try:
        while True:
            page = search.find(user_id, parse(text), before, code)
            assert len(page.messages) <= search_plan.PER_PAGE
            ids += [message.id for message in page.messages]
            if page.next is None:
                return ids
            assert before is None or page.next < before
            before = page.next
    except NotFound:
        return None


class Talk:
    """Random messages in four UKMs with random members; `answer` is what a search must find."""

    def __init__(self, rng: random.Random, people: list[int]) -> None:
        self.rng, self.people = rng, people
        self.codes = [f"UKM-{n}" for n in range(4)]
        with transaction() as session:
            session.add_all(Ukm(code=code, join_code=code, name=code) for code in self.codes)
        self.ukms = {ukm.id: ukm.code for ukm in db.session.scalars(select(Ukm))}
        self.numbers = dict.fromkeys(self.ukms, 0)

    def fill(self, count: int) -> None:
        ukms = [one for one in self.ukms if self.ukms[one] in self.codes]
        with transaction() as session:
            rows = [self._row(self.rng.choice(ukms), n) for n in range(count)]
            session.execute(insert(ChatMessage), rows)

    def _row(self, ukm_id: int, n: int) -> dict[str, Any]:
        self.numbers[ukm_id] += 1
        return {
            "ukm_id": ukm_id,
            "user_id": self.rng.choice(self.people),
            "client_id": f"r{n}",
            "number": self.numbers[ukm_id],
            "body": self._text(),
            "created_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=n),
            "published_at": utcnow(),
        }

    def _text(self) -> str:
        return self.rng.choice([" ", ", ", "\n"]).join(
            self.rng.choices(WORDS, k=self.rng.randint(1, 6))
        )

    def change(self) -> None:
        """Make a person join or leave a UKM, and edit or delete a message."""
        ukm_id, user_id = self.rng.choice(list(self.ukms)), self.rng.choice(self.people)
        key = {"ukm_id": ukm_id, "user_id": user_id}
        with transaction() as session:
            if mine := session.scalar(select(Membership).filter_by(**key)):
                session.delete(mine)
            else:
                session.add(Membership(**key))
            message = self.rng.choice(session.scalars(select(ChatMessage)).all())
            if self.rng.random() < 0.5:
                messages.erase(message)
        if not message.deleted_at:
            with transaction() as session:
                mine = session.scalar(
                    select(Membership).filter_by(ukm_id=message.ukm_id, user_id=message.user_id)
                )
                if not mine:
                    session.add(Membership(ukm_id=message.ukm_id, user_id=message.user_id))
            messages.edit(message.user_id, self.ukms[message.ukm_id], message.id, self._text())

    def query(self) -> str:
        parts = self.rng.choices(PARTS, k=self.rng.randint(1, 2))
        if self.rng.random() < 0.3:
            parts.append(self.rng.choice(["dari:si", "dari:mega", "dari:h"]))
        if self.rng.random() < 0.3:
            parts.append("sejak:2026-01-14")
        return " ".join(parts)

    def answer(self, user_id: int, text: str, code: str | None) -> list[int] | None:
        mine = set(
            db.session.scalars(select(Membership.ukm_id).where(Membership.user_id == user_id))
        )
        if code is not None:
            mine &= {key for key, each in self.ukms.items() if each == code}
        if code is not None and not mine:
            return None
        every = db.session.scalars(select(ChatMessage).order_by(ChatMessage.id.desc())).all()
        return [one.id for one in every if one.ukm_id in mine and fits(one, text)]


def fits(message: ChatMessage, text: str) -> bool:
    """Return whether a search must find the message, without the program's code."""
    if message.deleted_at:
        return False
    body = f" {' '.join(split(message.body))} "
    for part in re.findall(r'"[^"]+"|\S+', text):
        if part.startswith("dari:"):
            name = f" {message.user.name.lower()}"
            if f" {part[5:]}" not in name:
                return False
        elif part.startswith("sejak:"):
            if message.created_at < datetime(2026, 1, 13, 17, tzinfo=UTC):
                return False
        elif f" {' '.join(split(part))} " not in body:
            return False
    return True


def split(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text.lower().replace("'", "").replace('"', ""))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+|🎉", letters)
