"""Concurrent actions of members and admins on one UKM never fail in the database."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from PIL import Image

from myukm.db.deadlock_retry import retry_on_deadlock
from myukm.domain import account_deletion
from myukm.domain.accounts import administration, invitations, photos
from myukm.domain.actor import Actor
from myukm.domain.chat import messages, pins, reactions, reports
from myukm.domain.ukm import administration as ukm_administration
from myukm.domain.ukm import directory, join_requests, members, memberships, moderation, unread
from myukm.domain.ukm import settings as ukm_settings
from myukm.errors import DomainError
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm, User
from tests.conftest import every_database
from tests.support.people import PASSWORD, UKM
from tests.support.pictures import RED, encoded

THREADS, ROUNDS = 4, 60
PHOTO = encoded(Image.new("RGB", (9, 9), RED), "PNG")


class RandomUser:
    """Performs random actions on one UKM and few people; several run concurrently."""

    def __init__(self, ids: dict[str, int], seed: int) -> None:
        self.rng = random.Random(seed)
        self.ids, self.seed, self.guests = list(ids.values()), seed, 0
        self.office = Actor(user_id=ids["admin"], name="Siti Rahma", campus=True)
        self.admin = ids["admin"]

    def someone(self) -> int:
        return self.rng.choice(self.ids)

    def message(self) -> int:
        newest = db.select(ChatMessage.id).order_by(ChatMessage.id.desc()).limit(5)
        return self.rng.choice(db.session.scalars(newest).all() or [1])

    def user(self, user_id: int) -> User:
        return db.session.get_one(User, user_id)

    def actions(self) -> list[Callable[[], object]]:
        who, other, message = self.someone(), self.someone(), self.message()
        number = str(self.rng.random())
        return [
            lambda: messages.post(self.user(who), UKM, "halo @Mega Lestari", number),
            lambda: messages.post(self.user(who), UKM, "jawab", number, message),
            lambda: messages.edit(who, UKM, message, number),
            lambda: messages.delete(who, UKM, message),
            lambda: reactions.add(who, UKM, message, "👍"),
            lambda: reports.report(who, UKM, message, "Kasar"),
            lambda: reports.resolve(self.office, UKM, message, erase=True),
            lambda: unread.mark_read(memberships.get_membership(who, UKM), message),
            lambda: moderation.remove(self.office, UKM, other),
            lambda: moderation.promote(self.office, UKM, other),
            lambda: moderation.demote(self.office, UKM, other),
            lambda: moderation.unmute(self.office, UKM, other),
            lambda: memberships.join(who, UKM),
            lambda: memberships.leave(who, UKM),
            lambda: pins.pin_message(self.office, UKM, message),
            lambda: ukm_settings.archive(self.office, UKM),
            lambda: ukm_settings.unarchive(self.office, UKM),
            lambda: ukm_administration.add(UKM, self.user(who).nim, by=Actor("Siti", self.admin)),
            lambda: members.search(db.session.query(Ukm).filter_by(code=UKM).one()),
            lambda: photos.change(self.user(who), PHOTO, "image/png"),
            lambda: administration.set_role(Actor("Siti", who), other, "operator"),
            lambda: administration.block(Actor("Siti", who), other),
            lambda: administration.unblock(Actor("Siti", who), other),
            lambda: join_requests.ask(who, UKM),
            lambda: join_requests.withdraw(who, UKM),
            lambda: join_requests.accept(self.office, UKM, other),
            lambda: join_requests.refuse(self.office, UKM, other),
            self.join_and_delete_account,
        ]

    def join_and_delete_account(self) -> None:
        self.guests += 1
        nim = f"99{self.seed}{self.guests:03}"
        code = invitations.invite(Actor("Siti", self.admin), nim, "Tamu", "anggota")
        guest = invitations.register(nim, code, PASSWORD)
        memberships.join(guest.id, UKM)
        messages.post(guest, UKM, "selamat tinggal", "1")
        account_deletion.delete_account(guest, PASSWORD)


def run_random_actions(app: Flask, ids: dict[str, int], seed: int) -> int:
    """Perform `ROUNDS` random actions; return how many were accepted."""
    user, done = RandomUser(ids, seed), 0
    for _round in range(ROUNDS):
        with app.app_context():
            try:
                retry_on_deadlock(user.rng.choice(user.actions()))
                done += 1
            except DomainError:
                db.session.rollback()
            finally:
                db.session.remove()
    return done


@pytest.mark.usefixtures("no_flood_guard")
@every_database
def test_concurrent_random_actions_end_without_a_database_error(
    app: Flask, people: dict[str, int]
) -> None:
    with app.app_context():
        directory.describe(Actor("Siti Rahma", campus=True), UKM, "Robot", listed=True)
    with ThreadPoolExecutor(THREADS) as pool:
        done = list(pool.map(lambda seed: run_random_actions(app, people, seed), range(THREADS)))
    assert min(done) > ROUNDS / 5
    with app.app_context():
        messages = db.session.query(ChatMessage).order_by(ChatMessage.id).all()
        assert [message.number for message in messages] == list(range(1, len(messages) + 1))
        gone = db.select(User.id).where(User.deleted_at.is_not(None))
        assert not db.session.query(Membership).where(Membership.user_id.in_(gone)).count()
