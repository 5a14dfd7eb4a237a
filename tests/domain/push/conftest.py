"""A campus whose people have browsers that are subscribed to the test's push service."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from myukm.db.session import transaction
from myukm.domain.actor import Actor
from myukm.domain.chat import broadcast, messages, pins
from myukm.domain.presence import connections
from myukm.domain.push import delivery, fan_out, sender, subscriptions
from myukm.domain.ukm import memberships
from myukm.extensions import db
from myukm.models import LoginSession, PushDelivery, Ukm, User
from tests.support.people import UKM, token_for
from tests.support.push_service import FakeBrowser, PushService, push_service

WhileSending = Callable[[Callable[[], object]], None]


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as running:
        yield running


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    return {**settings, "PUSH_ENDPOINTS": "any"}


class Campus:
    """Lets people act, and runs the jobs of push notifications."""

    def __init__(self, app: Flask, people: dict[str, int], service: PushService) -> None:
        self.app, self.people, self.service, self.posted = app, people, service, 0
        self.logins: dict[str, str] = {}

    def subscribe(self, who: str, name: str = "") -> FakeBrowser:
        """Log a person in with a new browser and subscribe it."""
        name = name or who
        browser = self.service.browser(name)
        self.logins[name] = LoginSession.digest(token_for(self.people[who]))
        subscriptions.subscribe(self.logins[name], **browser.subscription, lang="id")
        return browser

    def set_membership(self, who: str, **values: object) -> None:
        """Change a membership in ROBOTIK."""
        with transaction():
            membership = memberships.get_membership(self.people[who], UKM)
            for name, value in values.items():
                setattr(membership, name, value)

    def say(self, text: str, who: str = "friend", reply_to: int | None = None) -> int:
        """Post to ROBOTIK, publish, and return the message's id."""
        self.posted += 1
        author = db.session.get_one(User, self.people[who])
        message, _ = messages.post(author, UKM, text, f"c{self.posted}", reply_to)
        broadcast.publish(message.ukm_id)
        return message.id

    def pin(self, text: str) -> None:
        """Pin an announcement as friend, who becomes an admin."""
        self.set_membership("friend", is_admin=True)
        pins.pin_text(Actor(name="Farhan Hakim", user_id=self.people["friend"]), UKM, text)

    def fan_out(self) -> int:
        """Run the fan-out job; return how many deliveries it stored."""
        return fan_out.fan_out(db.session.scalars(select(Ukm.id).where(Ukm.code == UKM)).one())

    def push(self) -> int:
        """Run the fan-out and the delivery; return how many notifications the service accepted."""
        self.fan_out()
        return delivery.deliver()

    def count_deliveries(self) -> int:
        """Return how many deliveries are stored."""
        found = len(db.session.scalars(select(PushDelivery.id)).all())
        db.session.rollback()
        return found

    def view(self, who: str, device: str = "desktop") -> None:
        """Let a person use a page in a browser."""
        person = self.people[who]
        connections.record([("open", person, device), ("input", person, device)])


@pytest.fixture
def campus(app: Flask, people: dict[str, int], service: PushService) -> Iterator[Campus]:
    with app.app_context():
        yield Campus(app, people, service)


@pytest.fixture
def while_sending(campus: Campus, monkeypatch: pytest.MonkeyPatch) -> WhileSending:
    """`while_sending(act)` calls `act()` once, while the service holds the next notification."""
    monkeypatch.setattr(sender, "READ_SECONDS", 60.0)  # the service answers after `act`
    monkeypatch.setattr(sender, "MAX_SECONDS", 60.0)
    monkeypatch.setattr(delivery, "JOB_SECONDS", 60.0)  # the same job sends what `act` adds

    def arrange(act: Callable[[], object]) -> None:
        def hold() -> None:
            campus.service.hold = lambda: None
            with campus.app.app_context():
                act()

        campus.service.hold = hold

    return arrange
