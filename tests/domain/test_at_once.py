"""Everything that members and admins do to a unit and its people, at once: nobody gets an error."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from PIL import Image

from myukm.domain.chat import (
    chat,
    members,
    moderation,
    pins,
    reactions,
    reports,
    ukm,
    ukm_care,
    ukm_office,
    unread,
)
from myukm.domain.chat.ukm_desk import Officer
from myukm.domain.people import farewell, invitations, people, photos
from myukm.errors import DomainError
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm, User
from myukm.web.deadlocks import past_deadlocks
from tests.conftest import every_database
from tests.support.people import PASSWORD, UKM
from tests.support.pictures import RED, encoded

THREADS, ROUNDS = 4, 60
PHOTO = encoded(Image.new("RGB", (9, 9), RED), "PNG")


class Crowd:
    """One of several who do something at random to the same unit and the same few people."""

    def __init__(self, ids: dict[str, int], seed: int) -> None:
        self.dice = random.Random(seed)
        self.ids, self.seed, self.guests = list(ids.values()), seed, 0
        self.office = Officer(ids["admin"], "Siti Rahma", campus=True)
        self.admin = ids["admin"]

    def someone(self) -> int:
        return self.dice.choice(self.ids)

    def message(self) -> int:
        newest = db.select(ChatMessage.id).order_by(ChatMessage.id.desc()).limit(5)
        return self.dice.choice(db.session.scalars(newest).all() or [1])

    def user(self, user_id: int) -> User:
        return db.session.get_one(User, user_id)

    def doings(self) -> list[Callable[[], object]]:
        who, other, message = self.someone(), self.someone(), self.message()
        number = str(self.dice.random())
        return [
            lambda: chat.post(self.user(who), UKM, "halo @Mega Lestari", number),
            lambda: chat.post(self.user(who), UKM, "jawab", number, message),
            lambda: chat.edit(who, UKM, message, number),
            lambda: chat.delete(who, UKM, message),
            lambda: reactions.put(who, UKM, message, "👍"),
            lambda: reports.report(who, UKM, message, "Kasar"),
            lambda: reports.settle(self.office, UKM, message, erase=True),
            lambda: unread.mark_read(ukm.membership(who, UKM), message),
            lambda: moderation.remove(self.office, UKM, other),
            lambda: moderation.promote(self.office, UKM, other),
            lambda: moderation.demote(self.office, UKM, other),
            lambda: moderation.unmute(self.office, UKM, other),
            lambda: ukm.join(who, UKM),
            lambda: ukm.leave(who, UKM),
            lambda: pins.pin_message(self.office, UKM, message),
            lambda: ukm_care.archive(self.office, UKM),
            lambda: ukm_care.restore(self.office, UKM),
            lambda: ukm_office.add(UKM, self.user(who).nim, by="Siti", by_id=self.admin),
            lambda: members.search(db.session.query(Ukm).filter_by(code=UKM).one()),
            lambda: photos.change(self.user(who), PHOTO, "image/png"),
            lambda: people.set_role(self.user(who), other, "operator"),
            lambda: people.block(self.user(who), other),
            lambda: people.unblock(self.user(who), other),
            self.visit_and_leave_for_good,
        ]

    def visit_and_leave_for_good(self) -> None:
        self.guests += 1
        nim = f"99{self.seed}{self.guests:03}"
        code = invitations.invite(self.user(self.admin), nim, "Tamu", "anggota")
        guest = invitations.register(nim, code, PASSWORD)
        ukm.join(guest.id, UKM)
        chat.post(guest, UKM, "selamat tinggal", "1")
        farewell.delete_account(guest, PASSWORD)


def mingle(app: Flask, ids: dict[str, int], seed: int) -> int:
    """Do many things; return how many were done, not refused."""
    crowd, done = Crowd(ids, seed), 0
    for _round in range(ROUNDS):
        with app.app_context():
            try:
                past_deadlocks(crowd.dice.choice(crowd.doings()))
                done += 1
            except DomainError:
                db.session.rollback()
            finally:
                db.session.remove()
    return done


@pytest.mark.usefixtures("no_flood_guard")
@every_database
def test_no_two_calls_lock_each_other_out(app: Flask, people: dict[str, int]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(lambda seed: mingle(app, people, seed), range(THREADS)))
    assert min(done) > ROUNDS / 4
    with app.app_context():
        messages = db.session.query(ChatMessage).order_by(ChatMessage.id).all()
        assert [message.number for message in messages] == list(range(1, len(messages) + 1))
        gone = db.select(User.id).where(User.deleted_at.is_not(None))
        assert not db.session.query(Membership).where(Membership.user_id.in_(gone)).count()
