"""The flood guard: one limit for all published actions, over calls, processes and databases."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import cycle

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from myukm.db.session import transaction
from myukm.domain import flood
from myukm.domain.actor import Actor
from myukm.domain.chat import messages, pins
from myukm.errors import TooFast
from myukm.extensions import db
from myukm.live import event_log
from myukm.models import Membership, User
from tests.conftest import every_database
from tests.support.people import UKM
from tests.support.programs import WebServer
from tests.support.without_valkey import lose_valkey

As = Callable[[str], FlaskClient]
ROOM = f"/ukm/{UKM}"


@pytest.fixture
def message(app: Flask, people: dict[str, int]) -> int:
    """The id of a message of member, an admin of ROBOTIK; the limit does not count this post."""
    with app.app_context():
        member = db.session.get_one(User, people["member"])
        posted, _new = messages.post(member, UKM, "Halo", "c0")
        with transaction() as session:
            statement = update(Membership).where(Membership.user_id == member.id)
            session.execute(statement.values(is_admin=True))
            session.execute(update(User).values(recent_acts=""))
        return posted.id


def calls(people: dict[str, int], message: int) -> list[tuple[str, str, dict]]:
    """Return a request for every action of a member that other members receive as an event."""
    friend, one = people["friend"], f"{ROOM}/messages/{message}"
    return [
        ("POST", f"{ROOM}/messages", {"message": "lagi", "client_id": "c1"}),
        ("PATCH", one, {"message": "baru"}),
        ("PUT", f"{one}/reactions/👍", {}),
        ("DELETE", f"{one}/reactions/👍", {}),
        ("POST", f"{ROOM}/pin", {"text": "Latihan"}),
        ("POST", f"{ROOM}/pin", {"message_id": message}),
        ("POST", f"{ROOM}/unpin", {}),
        ("POST", f"{ROOM}/edit", {"name": "Baru", "description": "Lagi"}),
        ("POST", f"{ROOM}/members/{friend}/mute", {"for": "1h"}),
        ("POST", f"{ROOM}/members/{friend}/unmute", {}),
        ("POST", f"{ROOM}/members/{friend}/promote", {}),
        ("POST", f"{ROOM}/members/{friend}/demote", {}),
        ("POST", f"{ROOM}/members/{friend}/remove", {}),
        ("POST", f"{ROOM}/join-code", {}),
        ("POST", f"{ROOM}/leave", {}),
        ("DELETE", one, {}),
    ]


@pytest.mark.parametrize("number", range(16))
def test_every_action_is_refused_at_the_shared_limit(
    app: Flask, client_as: As, people: dict[str, int], message: int, number: int
) -> None:
    member = client_as("member")
    for n in range(flood.MAX_ACTIONS):
        body = {"message": f"versi {n}"}
        assert member.patch(f"{ROOM}/messages/{message}", json=body).status_code == 200
    with app.app_context():
        before = event_log.latest_seq()
    method, path, body = calls(people, message)[number]
    answer = member.open(path, method=method, json=body)
    assert (answer.status_code, answer.json["error"]["code"]) == (429, "too_fast")
    with app.app_context():
        assert event_log.latest_seq() == before


def test_a_burst_of_edits_is_limited_and_so_are_its_events(
    app: Flask, client_as: As, message: int
) -> None:
    member = client_as("member")
    with app.app_context():
        before = event_log.latest_seq()
    path, began = f"{ROOM}/messages/{message}", time.monotonic()
    codes = [member.patch(path, json={"message": f"v{n}"}).status_code for n in range(300)]
    windows = (time.monotonic() - began) // 10 + 1  # of ten seconds; 1 on a quiet machine
    assert codes[:21] == [200] * 20 + [429]
    assert codes.count(200) <= windows * flood.MAX_ACTIONS
    with app.app_context():
        assert event_log.latest_seq() - before <= 2 * windows * flood.MAX_ACTIONS


def test_a_refused_or_wrong_call_does_not_count(client_as: As, message: int) -> None:
    member = client_as("member")
    path = f"{ROOM}/messages/{message}"
    for _ in range(30):
        assert member.patch(path, json={"message": ""}).status_code == 422
    assert member.patch(path, json={"message": "benar"}).status_code == 200


def test_the_limit_holds_without_valkey(app: Flask, client_as: As, message: int) -> None:
    lose_valkey(app)
    member, path = client_as("member"), f"{ROOM}/messages/{message}"
    codes = [member.patch(path, json={"message": f"v{n}"}).status_code for n in range(25)]
    assert codes == [200] * 20 + [429] * 5


def test_the_limit_holds_over_web_processes(
    settings: dict[str, str], tmp_path, web: WebServer, session_as: Callable, message: int
) -> None:
    other = WebServer(tmp_path / "other.log", settings)
    try:
        member, codes = session_as("member"), []
        for n in range(60):
            url = (web, other)[n % 2].url
            body = {"message": f"v{n}"}
            path = f"{url}{ROOM}/messages/{message}"
            codes.append(member.patch(path, json=body, timeout=10).status_code)
    finally:
        other.kill()
    # More than 20 succeed only if the 60 requests took longer than ten seconds.
    assert codes[:20] == [200] * 20
    assert 429 in codes


@every_database
def test_concurrent_actions_are_counted_exactly(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # All actions are in one window, also on a slow machine.
    monkeypatch.setattr(flood, "WITHIN_MILLISECONDS", 600_000)
    officer = Actor(user_id=people["admin"], name="Siti", campus=True)
    accepted, refused = [], []

    def act(n: int) -> None:
        with app.app_context():
            try:
                pins.pin_text(officer, (UKM, "PRAMUKA")[n % 2], f"v{n}")
                accepted.append(n)
            except TooFast:
                refused.append(n)

    threads = [threading.Thread(target=act, args=(n,)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(accepted), len(refused)) == (flood.MAX_ACTIONS, 20)


def act_until_refused(app: Flask, user_id: int) -> int:
    """Return how many actions were accepted, at most 100."""
    count = 0
    with app.app_context(), transaction(), suppress(TooFast):
        while count < 100:
            flood.count_act(user_id)
            count += 1
    return count


def test_actions_count_for_ten_seconds_or_until_the_clock_is_set_back(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1_700_000_000_000]
    monkeypatch.setattr(flood, "_now", lambda: clock[0])
    assert act_until_refused(app, people["member"]) == flood.MAX_ACTIONS
    clock[0] += 9_900
    assert act_until_refused(app, people["member"]) == 0
    clock[0] += 200
    assert act_until_refused(app, people["member"]) == flood.MAX_ACTIONS
    clock[0] -= 3_600_000
    assert act_until_refused(app, people["member"]) == flood.MAX_ACTIONS
    with app.app_context(), transaction():
        for _ in range(50):
            flood.count_act(None)


def test_machines_whose_clocks_differ_share_the_limit(
    app: Flask, people: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time_ns
    ahead = cycle([0, 60_000_000_000])
    monkeypatch.setattr(time, "time_ns", lambda: real() + next(ahead))
    assert act_until_refused(app, people["member"]) == flood.MAX_ACTIONS


def test_typing_is_published_rarely_and_does_not_count(
    app: Flask, client_as: As, message: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    published: list[str] = []
    monkeypatch.setattr(
        "myukm.live.pubsub.publish_transient", lambda topic, kind, data: published.append(kind)
    )
    member = client_as("member")
    for _ in range(60):
        assert member.post(f"{ROOM}/typing").status_code == 204
    assert published.count("chat.typing") <= 2
    assert member.patch(f"{ROOM}/messages/{message}", json={"message": "v"}).status_code == 200
