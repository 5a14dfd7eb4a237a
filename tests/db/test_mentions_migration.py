"""The upgrade that lists the addressees of messages includes older messages."""

import flask_migrate
from flask import Flask

from myukm.domain.chat import addressees, messages
from myukm.extensions import db
from myukm.models import User
from tests.conftest import every_database
from tests.support.people import UKM

BEFORE = "0014"


@every_database
def test_older_messages_are_listed_for_their_addressees(app: Flask, people: dict[str, int]) -> None:
    with app.app_context():
        member, friend = (db.session.get_one(User, people[who]) for who in ("member", "friend"))
        asked, _ = messages.post(friend, UKM, "@Farhan saya sendiri", "c1")
        messages.post(member, UKM, "@Farhan @Mega", "c2")
        messages.post(member, UKM, "jawaban", "c3", asked.id)
        gone, _ = messages.post(member, UKM, "@Farhan dihapus", "c4")
        messages.delete(member.id, UKM, gone.id)
        db.session.commit()
        flask_migrate.downgrade(revision=BEFORE)
        flask_migrate.upgrade()
        flask_migrate.upgrade()
        listed = addressees.messages_for(people["friend"])
        assert [message.body for message in listed] == ["jawaban", "@Farhan @Mega"]
        assert addressees.messages_for(people["member"]) == []
