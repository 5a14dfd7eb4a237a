"""Snapshots of a topic's state, and the changes that are published while one is read."""

from collections.abc import Iterator, Sequence

import pytest

from myukm.live.event_log import LoggedEvent
from myukm.live.snapshots import Snapshots
from myukm.live.sse import encode

TOPIC = "ukm:ROBOTIK"
ONLINE = LoggedEvent(None, TOPIC, "presence", '{"status":"online"}')
OFFLINE = LoggedEvent(None, TOPIC, "presence", '{"status":"offline"}')


def test_a_snapshot_includes_changes_published_while_it_is_read() -> None:
    reads: list[set[str]] = []

    def read(topics: Sequence[str]) -> list[LoggedEvent]:
        reads.append(set(topics))
        snapshots.changed(OFFLINE)  # published while it is read
        return [ONLINE]

    snapshots = Snapshots(read)  # type: ignore[arg-type]
    assert snapshots.of([TOPIC]) == {TOPIC: encode(ONLINE) + encode(OFFLINE)}
    snapshots.changed(ONLINE)
    assert snapshots.of([TOPIC]) == {TOPIC: encode(ONLINE) + encode(OFFLINE) + encode(ONLINE)}
    assert reads == [{TOPIC}]


def test_a_snapshot_that_is_read_slowly_includes_changes_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("myukm.live.snapshots.MAX_AGE_SECONDS", 0.0)

    def read(_topics: object) -> list[LoggedEvent]:
        for _ in range(2):  # published while it is read, after its maximum age
            snapshots.changed(OFFLINE)
        return [ONLINE]

    snapshots = Snapshots(read)
    assert snapshots.of([TOPIC]) == {TOPIC: encode(ONLINE) + 2 * encode(OFFLINE)}


def test_a_call_during_the_read_of_another_returns_the_state_as_well() -> None:
    """As the hub's progress without Valkey, while new streams read the same topic: no bytes would
    be the last chunk of its streams."""
    meanwhile: list[bytes] = []

    def read(_topics: object) -> list[LoggedEvent]:
        if not meanwhile:
            meanwhile.append(b"")
            meanwhile[0] = snapshots.of([TOPIC])[TOPIC]
        return [ONLINE]

    snapshots = Snapshots(read)
    assert [snapshots.of([TOPIC])[TOPIC], *meanwhile] == 2 * [encode(ONLINE)]


def test_a_snapshot_that_could_not_be_read_is_read_again() -> None:
    state = [LoggedEvent(None, TOPIC, "presence", "{}")]
    answers: Iterator[Exception | list[LoggedEvent]] = iter([ConnectionError(), state])

    def read(_topics: object) -> list[LoggedEvent]:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    snapshots = Snapshots(read)
    with pytest.raises(ConnectionError):
        snapshots.of([TOPIC])
    assert snapshots.of([TOPIC])[TOPIC]
