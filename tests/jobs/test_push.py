"""Notifications with workers that are killed: each browser shows each event once, and never shows
an event to a person who was removed, blocked or logged out before.

`PUSH_KILLS=50 PUSH_SEED=7 ./run test tests/jobs/test_push.py` kills more often, at other moments.
"""

import os
import random
import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.accounts import accounts
from myukm.domain.actor import Actor
from myukm.domain.push import fan_out, outbox, preferences, watch
from myukm.domain.ukm import memberships, moderation
from myukm.models import User
from tests.domain.push.conftest import Campus
from tests.support.people import UKM
from tests.support.programs import Program
from tests.support.push_service import FakeBrowser, PushService, push_service
from tests.support.waiting import wait_until
from tests.support.workers import WORKER

Start = Callable[..., Program]
KILLS, SEED = int(os.environ.get("PUSH_KILLS", "10")), int(os.environ.get("PUSH_SEED", "1"))
LEAVING = {"outsider": "Rudi Hartono", "operator": "Oki Pratama", "admin": "Siti Rahma"}
ALL = "".join(f"@{name} " for name in ("Mega Lestari", *LEAVING.values()))


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as running:
        yield running


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    return {**settings, "PUSH_ENDPOINTS": "any"}


@pytest.fixture
def campus(app: Flask, people: dict[str, int], service: PushService) -> Iterator[Campus]:
    with app.app_context():
        yield Campus(app, people, service)


class Killer:
    """Kills the worker at a moment that the test chooses, and starts another."""

    def __init__(self, start: Start, service: PushService) -> None:
        self._start, self._service = start, service
        self.kills = 0
        self.worker = self._begin()

    def _begin(self) -> Program:
        return self._start(*WORKER, "default")

    def kill(self) -> None:
        """Kill -9 the worker with its job, once."""
        self._service.hold = lambda: None
        self.worker.kill()
        self.kills += 1

    def replace(self) -> None:
        """Start another worker."""
        self.worker = self._begin()


def wait_delivered(
    campus: Campus, watching: watch.PushWatch, expected: dict[FakeBrowser, int]
) -> None:
    """Let the leader poll until every browser has its newest event and nothing is left to send."""

    def done() -> bool:
        watching.poll()
        got = all(each.got and each.got[-1]["id"] == newest for each, newest in expected.items())
        return got and not campus.count_deliveries()

    wait_until(done, 30, "all notifications arrived")


def wait_killed(killer: Killer, watching: watch.PushWatch, times: int) -> None:
    """Let the leader poll until the worker was killed `times` times."""

    def killed() -> bool:
        watching.poll()
        return killer.kills == times

    wait_until(killed, 30, "a kill")


def join_all(people: dict[str, int]) -> None:
    """Let all who will leave join the UKM, with notifications of the UKM only."""
    for who in LEAVING:
        memberships.join(people[who], UKM)
        # Killed workers raise alerts, which would be pushed to an operator as well.
        chosen = {"show_text": True, "announcements": True, "staff": False}
        preferences.change(people[who], **chosen, quiet_from="", quiet_until="")


def let_some_leave(people: dict[str, int]) -> None:
    """Remove one person from the UKM, block one and log one out."""
    friend = Actor("Farhan Hakim", people["friend"])
    moderation.remove(friend, UKM, people["outsider"])
    with transaction() as session:
        session.get_one(User, people["operator"]).blocked_at = utcnow()
        accounts.end_sessions(people["admin"])


@pytest.mark.usefixtures("no_flood_guard")
@pytest.mark.timeout(120 + 30 * KILLS)
def test_each_event_is_shown_once_by_each_browser_though_workers_are_killed(
    campus: Campus,
    people: dict[str, int],
    service: PushService,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for queueing in (fan_out, outbox):
        monkeypatch.setattr(queueing, "QUEUED_SECONDS", 1)
    join_all(people)
    campus.set_membership("friend", is_admin=True)
    staying = [campus.subscribe("member", f"b{number}") for number in range(3)]
    leaving, author = [campus.subscribe(who) for who in LEAVING], campus.subscribe("friend")
    draw, killer = random.Random(SEED), Killer(start, service)
    watching = watch.PushWatch(claim_seconds=3.0, lag_seconds=0.5)
    said: list[int] = []
    for number in range(KILLS):
        if number == KILLS // 2:
            let_some_leave(people)
        at_request = number % 2
        if at_request:
            service.hold = killer.kill
        said.append(campus.say(f"{ALL}{number}"))
        if not at_request:
            time.sleep(draw.uniform(0, 2.0))  # the kill comes at a random moment
            killer.kill()
        else:
            wait_killed(killer, watching, number + 1)
        killer.replace()
        present = staying if number >= KILLS // 2 else staying + leaving
        wait_delivered(campus, watching, dict.fromkeys(present, said[-1]))
    assert killer.kills == KILLS
    for browser, messages in [(each, said) for each in staying] + [
        (each, said[: KILLS // 2]) for each in leaving
    ]:
        assert browser.shown == [("ukm-ROBOTIK", message) for message in messages]
        assert all(count <= 2 for count in browser.events().values())
    assert author.got == []
