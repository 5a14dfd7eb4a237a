"""Opens streams: those that arrive within some milliseconds share the same few queries.

When a web process ends, all its streams come back at once. So each query and Valkey call here
serves all streams that arrive together, and costs the same however many streams are open.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from flask_babel import lazy_gettext as _

from myukm.domain import stream_topics
from myukm.domain.accounts import accounts
from myukm.domain.presence import tracker
from myukm.errors import DomainError, Forbidden, TooFast
from myukm.extensions import db
from myukm.live.hub import Hub
from myukm.live.snapshots import Snapshots
from myukm.live.subscriber import Subscriber
from myukm.live.topics import owner_of, personal_topic
from myukm.web import first_events

MAX_STREAMS = 10  # of one account, in all processes


class Arrival(NamedTuple):
    """A request for a stream: its log-in's `token_hash`, the id of the account that its page shows
    (None: any), the requested topics (None: all) and cursor (None: the newest), and whether the
    log-in was used today."""

    login: str
    account: str | None
    topics: frozenset[str] | None
    cursor: str | None
    used_today: bool


class Opened(NamedTuple):
    """An open stream and its first bytes: the missed events (None: its cursor is unknown) and the
    current state."""

    subscriber: Subscriber
    missed: bytes | None
    state: bytes


Refusal = DomainError | None
"""Why there is no stream; None: the log-in ended, or the page shows another account."""


def open_streams(
    hub: Hub, snapshots: Snapshots, arrivals: Sequence[Arrival]
) -> list[Opened | Refusal]:
    """Open a stream for each arrival, or return why it is refused."""
    hub.start()
    rights = stream_topics.for_sessions({arrival.login for arrival in arrivals})
    unused = {arrival.login for arrival in arrivals if not arrival.used_today}
    if unused := unused & rights.keys():
        accounts.refresh_sessions(unused)
    counts = tracker.count_streams({owner_of(topics) for topics in rights.values()})
    outcomes = [_admit(hub, each, rights.get(each.login), counts) for each in arrivals]
    opened = iter(_read_first(hub, snapshots, arrivals, outcomes))
    return [next(opened) if isinstance(each, Subscriber) else each for each in outcomes]


def _admit(
    hub: Hub, arrival: Arrival, allowed: frozenset[str] | None, counts: Counter[int]
) -> Subscriber | Refusal:
    """Subscribe one arrival. `counts` are the open streams of each account in all processes."""
    owner = owner_of(allowed) if allowed else 0
    if not allowed or arrival.account not in (None, str(owner)):
        return None
    topics = arrival.topics
    if topics is not None:
        topics = frozenset(personal_topic(owner) if name == "me" else name for name in topics)
        if not topics <= allowed:
            return Forbidden(_("Topik ini bukan untuk Anda."))
    if max(hub.streams.audience.streams_of(owner), counts[owner]) >= MAX_STREAMS:
        return TooFast(_("Terlalu banyak tab terbuka. Tutup beberapa."), code="too_many_streams")
    counts[owner] += 1
    subscriber = Subscriber(arrival.login, owner, secrets.token_hex(8), allowed, topics)
    hub.subscribe(subscriber)
    return subscriber


def _read_first(
    hub: Hub,
    snapshots: Snapshots,
    arrivals: Sequence[Arrival],
    outcomes: Sequence[Subscriber | Refusal],
) -> list[Opened]:
    """Return the admitted streams with their first bytes."""
    admitted = [
        (arrival.cursor, outcome)
        for arrival, outcome in zip(arrivals, outcomes, strict=True)
        if isinstance(outcome, Subscriber)
    ]
    db.session.rollback()  # SQLite would show the log as it was before the streams joined
    try:
        first = first_events.read(hub, snapshots, admitted) if admitted else []
    except BaseException:
        for _text, subscriber in admitted:
            hub.streams.drop(subscriber)
        raise
    tracker.connect([(subscriber.owner, subscriber.name) for _text, subscriber in admitted])
    return [
        Opened(subscriber, missed, state)
        for (_text, subscriber), (missed, state) in zip(admitted, first, strict=True)
    ]
