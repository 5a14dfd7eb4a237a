"""The hub's threads go on whatever happens in them: nothing would start them again."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from myukm.db.session import transaction
from myukm.live import event_log
from myukm.live import hub as hubs
from myukm.live.hub import Hub
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
    """Return `step`, which raises what nobody expects at its first two calls, and its calls."""
    calls: list[object] = []

    def fail(*args: object, **kwargs: object) -> object:
        calls.append(step)
        if len(calls) <= 2:
            raise KeyError("unexpected")
        return step(*args, **kwargs)

    return fail, calls


@pytest.mark.parametrize(
    ("part", "step"), [("streams", "dispatch"), ("streams", "send"), ("", "_since")]
)
def test_an_unexpected_error_ends_no_thread(
    app: Flask, hub: Hub, monkeypatch: pytest.MonkeyPatch, part: str, step: str
) -> None:
    owner = getattr(hub, part) if part else hub
    failing, calls = failing_twice(getattr(owner, step))
    monkeypatch.setattr(owner, step, failing)
    with app.app_context():
        for word in ("satu", "dua", "tiga"):
            with transaction():
                event_log.append(f"ukm:{UKM}", "chat.message", {"message": word})
        newest = event_log.latest_seq()
    wait_until(lambda: hub.streams.seq == newest, 30, "all events are sent")
    wait_until(lambda: len(calls) > 2, 30, "it is tried again")
    assert all(thread.is_alive() for thread in hub._threads)
