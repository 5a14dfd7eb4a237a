"""Events that arrive together are sent by few writes, in order, each once."""

import re
import socket
from collections.abc import Callable, Iterator

import pytest

from myukm.live.event_log import LoggedEvent
from myukm.live.fan_out import WRITE_BYTES, FanOut
from myukm.live.subscriber import Subscriber

A, B = "ukm:A", "ukm:B"
Join = Callable[..., socket.socket]


def event(seq: int | None, topic: str = A, data: str = "{}") -> LoggedEvent:
    return LoggedEvent(seq, topic, "chat.message", data)


@pytest.fixture
def streams() -> Iterator[FanOut]:
    made = FanOut()
    made.seq = 0
    yield made
    made.end_all()


@pytest.fixture
def join(streams: FanOut) -> Iterator[Join]:
    """`join(cursor)` opens a stream of all topics and returns its reading end."""
    opened: list[socket.socket] = []

    def make(cursor: int = 0, *, chunked: bool = False) -> socket.socket:
        subscriber = Subscriber("key", 1, "name", frozenset({A, B}), None)
        subscriber.cursor = cursor
        streams.audience.add(subscriber)
        ours, theirs = socket.socketpair()
        streams.connect(subscriber, ours.detach(), chunked=chunked)
        opened.append(theirs)
        return theirs

    yield make
    for each in opened:
        each.close()


def ids(received: bytes) -> list[int]:
    return [int(number) for number in re.findall(rb"^id: (\d+)$", received, re.MULTILINE)]


def test_events_of_several_topics_keep_their_order(streams: FanOut, join: Join) -> None:
    reader = join()
    assert streams.dispatch([event(1), event(2), event(3, B), event(4), event(None, B)])
    received = reader.recv(65536)
    assert ids(received) == [1, 2, 3, 4]
    assert received.count(b"data: ") == 5


def test_a_stream_gets_only_the_events_of_a_batch_after_its_cursor(
    streams: FanOut, join: Join
) -> None:
    readers = [join(cursor) for cursor in (0, 2, 3)]
    streams.dispatch([event(1), event(2), event(3)])
    streams.dispatch([event(4)])
    assert [ids(reader.recv(65536)) for reader in readers] == [[1, 2, 3, 4], [3, 4], [4]]


def test_no_event_is_sent_twice_or_after_a_gap(streams: FanOut, join: Join) -> None:
    reader = join()
    assert streams.dispatch([event(1), event(2)])
    assert not streams.dispatch([event(2), event(4), event(None)])
    assert streams.dispatch([event(1), event(2), event(3), event(4)])
    assert ids(reader.recv(65536)) == [1, 2, 3, 4]


def test_small_events_share_a_chunk_and_a_large_one_has_its_own(
    streams: FanOut, join: Join
) -> None:
    reader = join(chunked=True)
    large = '"' + "x" * WRITE_BYTES + '"'
    streams.dispatch([event(1), event(2), event(3, data=large), event(4)])
    received = b""
    while ids(received) != [1, 2, 3, 4] or not received.endswith(b"\n\n\r\n"):
        received += reader.recv(65536)
    assert len(re.findall(rb"^[0-9a-f]+\r$", received, re.MULTILINE)) == 3
