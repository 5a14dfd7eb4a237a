"""`GET /stream`: the event stream (Server-Sent Events) of a browser."""

import json
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from flask_babel import lazy_gettext as _
from flask_login import current_user

from myukm.domain import event_rendering, stream_topics
from myukm.domain.presence import presence_list, tracker
from myukm.domain.sync import progress
from myukm.domain.ukm import unread
from myukm.errors import Forbidden, TooFast, Unavailable
from myukm.extensions import db
from myukm.live import event_log
from myukm.live.hub import Hub
from myukm.live.sse import encode, heartbeat, message
from myukm.live.stream import StreamBody
from myukm.live.subscriber import Subscriber
from myukm.live.topics import personal_topic
from myukm.ops import stats
from myukm.valkey_clients import pubsub_client
from myukm.web.http.access import current_account, json_view, logged_in

MAX_STREAMS = 10
MAX_REPLAYED = 1000

bp = Blueprint("stream", __name__)


@bp.record
def _make_hub(state: Any) -> None:
    state.app.extensions["live_hub"] = make_hub(state.app)


def make_hub(app: Flask) -> Hub:
    """Create the hub of this process. It gets its database reads as callables, each wrapped in an
    app context, because `live` imports neither the app nor the tables."""

    def reading(function: Callable[..., Any]) -> Callable[..., Any]:
        def read(*args: Any) -> Any:
            with app.app_context():
                return function(*args)

        return read

    return Hub(
        connect=lambda: pubsub_client(app.config["REDIS_URL"]),
        newest=reading(event_log.latest_seq),
        since=reading(event_rendering.since),
        rights=reading(stream_topics.for_sessions),
        states=reading(fallback_snapshots),
        left=reading(left),
    )


@bp.get("/stream")
@json_view
@logged_in
def stream() -> Response:
    """Stream the events of the caller's topics as they happen."""
    if request.method == "HEAD":
        return stream_response(())
    hub: Hub = current_app.extensions["live_hub"]
    if hub.closing:
        raise Unavailable(_("Proses web ini sedang berhenti."), code="closing", retry_after=1)
    user_id = current_account().id
    check_stream_limit(hub, user_id)
    login = current_user.token_hash
    allowed = stream_topics.for_sessions([login]).get(login, frozenset())
    requested = requested_topics(allowed, user_id)
    subscriber = Subscriber(login, user_id, secrets.token_hex(8), allowed, requested)
    db.session.remove()  # give the connection back: the hub's first poll takes its own
    hub.subscribe(subscriber)
    try:
        subscriber.cursor, first = initial_events(subscriber, user_id)
    except BaseException:
        hub.streams.drop(subscriber)
        raise
    tracker.connect([(user_id, subscriber.name)])
    db.session.remove()
    first = [heartbeat(degraded=hub.away), *first]
    return stream_response(StreamBody(hub.streams, subscriber, first, request.environ))


def stream_response(body: Iterable[bytes]) -> Response:
    """Return the response with the headers that keep proxies from holding a stream back."""
    headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
    return Response(body, mimetype="text/event-stream", headers=headers)


def check_stream_limit(hub: Hub, user_id: int) -> None:
    """Raise `TooFast` if the account already has `MAX_STREAMS` open, over all processes."""
    if max(hub.streams.audience.streams_of(user_id), tracker.count_streams(user_id)) >= MAX_STREAMS:
        raise TooFast(_("Terlalu banyak tab terbuka. Tutup beberapa."), code="too_many_streams")


def requested_topics(allowed: frozenset[str], user_id: int) -> frozenset[str] | None:
    """Return the topics of `?topics=` (None: all). Raises `Forbidden` for one not allowed."""
    cursor_text = request.args.get("topics")
    if cursor_text is None:
        return None
    names = {name.strip() for name in cursor_text.split(",") if name.strip()}
    requested = frozenset(personal_topic(user_id) if name == "me" else name for name in names)
    if not requested <= allowed:
        raise Forbidden(_("Topik ini bukan untuk Anda."))
    return requested


def initial_events(subscriber: Subscriber, user_id: int) -> tuple[int, list[bytes]]:
    """Return the stream's cursor and its first events.

    The cursor is read before the state, so no event between the two is missed.
    """
    cursor_text = request.headers.get("Last-Event-ID") or request.args.get("cursor")
    newest = event_log.latest_seq()
    states = [message(kind, data, newest) for kind, data in snapshots(subscriber.topics, user_id)]
    if cursor_text is None:
        return newest, states
    entries = replay(cursor_text, newest, subscriber.topics)
    if entries is None:
        reason = str(_("Posisi terakhir terlalu lama atau tidak dikenal."))
        return newest, [message("reset", {"reason": reason}, newest), *states]
    return newest, [*(encode(entry) for entry in entries if entry.data is not None), *states]


def replay(
    cursor_text: str, newest: int, topics: Iterable[str]
) -> Sequence[event_log.LoggedEvent] | None:
    """Return the events after `cursor_text`; None if that cursor is unknown, pruned, or more than
    `MAX_REPLAYED` events back."""
    if not (cursor_text.isascii() and cursor_text.isdigit() and len(cursor_text) < 19):
        return None
    cursor = int(cursor_text)
    if cursor > newest:
        return None
    entries = event_rendering.since(cursor, MAX_REPLAYED + 1, list(topics), until=newest)
    # Read the log's start last: events pruned during the read must lead to a reset, not a gap.
    complete = event_log.oldest_seq() - 1 <= cursor and len(entries) <= MAX_REPLAYED
    return entries if complete else None


def snapshots(topics: frozenset[str], user_id: int) -> Iterator[tuple[str, Any]]:
    """Yield the current state of each topic whose events are snapshots, not changes."""
    if "sync" in topics:
        yield "sync.progress", progress.current()
    if "queue" in topics:
        yield "queue.health", stats.health()
    if codes := [topic[4:] for topic in topics if topic.startswith("ukm:")]:
        yield from (("presence", person) for person in presence_list.snapshots(codes))
    if personal_topic(user_id) in topics:
        yield from (("unread", count) for count in unread.counts(user_id))


def fallback_snapshots() -> list[event_log.LoggedEvent]:
    """Return the state that streams normally get through Valkey, read from the database."""
    return [event_log.LoggedEvent(None, "sync", "sync.progress", json.dumps(progress.current()))]


def left(subscribers: Collection[Subscriber]) -> None:
    """Record in the presence that these streams ended."""
    tracker.disconnect([(each.owner, each.name) for each in subscribers])
