"""The hub's threads survive every error, because nothing would start them again, and rights that
changed are not overwritten by an older read."""

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from flask import Flask

from myukm.db.session import transaction
from myukm.live import event_log
from myukm.live import hub as hubs
from myukm.live.event_log import LoggedEvent
from myukm.live.hub import Hub
from myukm.live.snapshots import Snapshots
from myukm.live.subscriber import Subscriber
from myukm.live.subscription import Subscription
from myukm.live.topics import RIGHTS_CHANGED
from tests.support.people import UKM
from tests.support.waiting import wait_until


@pytest.fixture
def hub(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(hubs, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(hubs, "HEARTBEAT_SECONDS", 0.05)
    made: Hub = app.extensions["live_hub"]
    made.start()
    yield made
    made.close()


def failing_twice(step: Callable[..., object]) -> tuple[Callable[..., object], list[object]]:
    """Return a function that fails twice, then calls `step`, and the list of its calls."""
    calls: list[object] = []

    def fail(*args: object, **kwargs: object) -> object:
        calls.append(step)
        if len(calls) <= 2:
            raise KeyError("unexpected")
        return step(*args, **kwargs)

    return fail, calls


@pytest.mark.parametrize(
    ("part", "step"),
    [("streams", "dispatch"), ("streams", "send"), ("", "_since"), (Subscription, "receive")],
)
def test_an_unexpected_error_ends_no_thread(
    app: Flask, hub: Hub, monkeypatch: pytest.MonkeyPatch, part: str | type, step: str
) -> None:
    owner: Any = part
    if isinstance(part, str):
        owner = getattr(hub, part) if part else hub
    failing, calls = failing_twice(getattr(owner, step))
    monkeypatch.setattr(owner, step, failing)
    with app.app_context():
        for text in ("satu", "dua", "tiga"):
            with transaction():
                event_log.append(f"ukm:{UKM}", "chat.message", {"message": text})
        newest = event_log.latest_seq()
    wait_until(lambda: hub.streams.seq == newest, 30, "all events are sent")
    wait_until(lambda: len(calls) > 2, 30, "the step is retried")
    assert all(thread.is_alive() for thread in hub._threads)


def test_a_removed_member_gets_no_later_message() -> None:
    """Both events are in the log when the change of rights arrives."""
    hub = make_hub(
        since=lambda seq, _limit: [LoggedEvent(1, "ukm:1", "chat.message", "{}")][seq:],
        rights=lambda _logins: {"login": frozenset({"ukm:2"})},
    )
    hub.streams.seq = 0
    subscriber = Subscriber("login", 1, "stream", frozenset({"ukm:1", "ukm:2"}), None)
    hub.subscribe(subscriber)
    hub._receive([LoggedEvent(*RIGHTS_CHANGED)])
    assert hub.streams.seq == 1
    assert not subscriber._early, "a removed member gets no event of the UKM"


def make_hub(
    since: Callable[[int, int], list[LoggedEvent]],
    rights: Callable[[Iterable[str]], dict[str, frozenset[str]]],
) -> Hub:
    """Return a hub without Valkey."""
    return Hub(
        connect=pytest.fail,
        newest=lambda: 0,
        since=since,
        rights=rights,
        snapshots=Snapshots(lambda _topics: []),
        on_ended=lambda _streams: None,
    )


def test_rights_read_before_a_change_do_not_replace_newer_rights() -> None:
    """The periodic check is still reading when the change is published."""
    current, reading, go_on = {"login": frozenset({"sync"})}, threading.Event(), threading.Event()

    def rights(_logins: Iterable[str]) -> dict[str, frozenset[str]]:
        found = dict(current)
        if not reading.is_set():
            reading.set()
            assert go_on.wait(10)
        return found

    hub = make_hub(since=lambda _seq, _limit: [], rights=rights)
    subscriber = Subscriber("login", 1, "stream", current["login"], None)
    hub.subscribe(subscriber)
    periodic = threading.Thread(target=hub._catch_up)
    periodic.start()
    assert reading.wait(10)
    current["login"] = frozenset()
    published = threading.Thread(target=hub._receive, args=([LoggedEvent(*RIGHTS_CHANGED)],))
    published.start()
    published.join(0.5)
    go_on.set()
    for thread in (periodic, published):
        thread.join(10)
    assert subscriber.topics == frozenset()
