"""`GET /stream`: the one event stream that a page opens."""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from flask_babel import lazy_gettext as _
from flask_login import current_user

from myukm.domain import rights
from myukm.domain.chat import attendance, presence, unread
from myukm.domain.sync import progress
from myukm.errors import Forbidden, TooFast
from myukm.extensions import db, own_valkey
from myukm.live import log
from myukm.live.hub import Hub
from myukm.live.listener import Listener
from myukm.live.sse import encode, message
from myukm.live.straight import StraightWriter
from myukm.live.stream import follow
from myukm.ops import stats
from myukm.web.access import json_call, logged_in, me

MOST_STREAMS = 10
MOST_REPLAYED = 1000

bp = Blueprint("stream", __name__)


@bp.record
def _make_hub(state: Any) -> None:
    state.app.extensions["live_hub"] = make_hub(state.app)


def make_hub(app: Flask) -> Hub:
    """Return the hub of this process; its reads open an app context each."""

    def reading(function: Callable[..., Any]) -> Callable[..., Any]:
        def read(*args: Any) -> Any:
            with app.app_context():
                return function(*args)

        return read

    return Hub(
        connect=lambda: own_valkey(app),
        newest=reading(log.newest),
        since=reading(log.since),
        rights=reading(rights.topics),
        states=reading(states),
    )


@bp.get("/stream")
@json_call
@logged_in
def stream() -> Response:
    """Stream the events of the caller's topics as they happen."""
    hub: Hub = current_app.extensions["live_hub"]
    user_id, connection = me().id, secrets.token_hex(8)
    refuse_too_many(hub, user_id)
    login = current_user.token_hash
    allowed = rights.topics([login]).get(login, frozenset())
    wanted = wanted_topics(allowed, user_id)
    writer = StraightWriter.of(request.environ)
    listener = Listener(login, user_id, allowed, wanted, writer)
    db.session.remove()  # the hub's first look takes a connection of its own
    hub.join(listener)
    try:
        listener.cursor, first = beginning(listener, user_id)
    except BaseException:
        hub.leave(listener)
        raise
    presence.connect(user_id, connection)
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    db.session.remove()
    response = Response(
        follow(hub, listener, first),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"},
    )
    # The server calls these even when it never asked for a byte (HEAD, a client that left).
    response.call_on_close(lambda: hub.leave(listener))
    response.call_on_close(_later(app, presence.disconnect, user_id, connection))
    return response


def refuse_too_many(hub: Hub, user_id: int) -> None:
    """Raise `TooFast` when the account has its share of open streams, on all processes."""
    here = sum(listener.owner == user_id for listener in hub.listeners())
    if max(here, presence.connections(user_id)) >= MOST_STREAMS:
        raise TooFast(_("Terlalu banyak tab terbuka. Tutup beberapa."), code="too_many_streams")


def wanted_topics(allowed: frozenset[str], user_id: int) -> frozenset[str] | None:
    """Return what `?topics=` asks for (None: everything). Raises `Forbidden`."""
    asked = request.args.get("topics")
    if asked is None:
        return None
    names = {name.strip() for name in asked.split(",") if name.strip()}
    wanted = frozenset(rights.mine(user_id) if name == "me" else name for name in names)
    if not wanted <= allowed:
        raise Forbidden(_("Topik ini bukan untuk Anda."))
    return wanted


def beginning(listener: Listener, user_id: int) -> tuple[int, list[bytes]]:
    """Return where the stream stands and its first events.

    The cursor is taken before the state is read, so nothing falls between the two.
    """
    asked = request.headers.get("Last-Event-ID") or request.args.get("cursor")
    newest = log.newest()
    states = [message(kind, data, newest) for kind, data in snapshots(listener.topics, user_id)]
    if asked is None:
        return newest, states
    entries = replay(asked, newest, listener.topics)
    if entries is None:
        reason = str(_("Posisi terakhir terlalu lama atau tidak dikenal."))
        return newest, [message("reset", {"reason": reason}, newest), *states]
    return newest, [*map(encode, entries), *states]


def replay(asked: str, newest: int, topics: Iterable[str]) -> Sequence[log.Entry] | None:
    """Return the events after cursor `asked`, None when it is unknown, too old or too far back."""
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        return None
    cursor = int(asked)
    if cursor > newest:
        return None
    entries = log.since(cursor, MOST_REPLAYED + 1, list(topics), until=newest)
    # The log's start is read last: what was pruned while we read must not be missing in silence.
    complete = log.oldest() - 1 <= cursor and len(entries) <= MOST_REPLAYED
    return entries if complete else None


def snapshots(topics: frozenset[str], user_id: int) -> Iterator[tuple[str, Any]]:
    """Yield the state behind each topic that is told by snapshots."""
    if "sync" in topics:
        yield "sync.progress", progress.current()
    if "queue" in topics:
        yield "queue.health", stats.health()
    if codes := [topic[4:] for topic in topics if topic.startswith("ukm:")]:
        yield from (("presence", person) for person in attendance.snapshots(codes))
    if rights.mine(user_id) in topics:
        yield from (("unread", count) for count in unread.counts(user_id))


def states() -> list[log.Entry]:
    """Return what streams are otherwise told by Valkey alone and the database knows as well."""
    return [log.Entry(None, "sync", "sync.progress", json.dumps(progress.current()))]


def _later(app: Flask, function: Callable[..., None], *args: Any) -> Callable[[], None]:
    """Return a call of `function` in a context of its own: the request's is gone by then."""

    def call() -> None:
        context: AbstractContextManager[Any] = app.app_context()
        with context:
            function(*args)

    return call
