"""`GET /stream`: the event stream (Server-Sent Events) of a browser."""

import random
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, session
from flask_babel import lazy_gettext as _
from flask_login import current_user

from myukm.domain import event_rendering, stream_topics
from myukm.domain.presence import tracker
from myukm.errors import DomainError, Unavailable
from myukm.live import event_log
from myukm.live.batcher import Batcher
from myukm.live.hub import Hub
from myukm.live.snapshots import Snapshots
from myukm.live.sse import message
from myukm.live.stream import StreamBody
from myukm.live.subscriber import Subscriber
from myukm.models import LoginSession
from myukm.ops import held_streams
from myukm.rate_limiting.local_log import Limit
from myukm.valkey_clients import pubsub_client
from myukm.web.arrivals import Arrival, Opened, Refusal, open_streams
from myukm.web.first_events import topic_states
from myukm.web.http.access import (
    current_account,
    is_for_other_account,
    json_view,
    logged_in,
    login_required_response,
    today,
)
from myukm.web.http.limits import limited

WAIT_SECONDS = 20.0
RETRY_SECONDS = (1, 10)
HELD_REPORTS = Limit("stream-held", 20, 600)

bp = Blueprint("stream", __name__)


@bp.record
def _set_up(state: Any) -> None:
    """Create the hub of this process, and the batcher that opens its streams."""
    hub = create_hub(state.app)
    opening = partial(open_streams, hub, hub.snapshots)
    state.app.extensions["live_hub"] = hub
    state.app.extensions["stream_batcher"] = Batcher(in_app_context(state.app, opening))


def in_app_context(app: Flask, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` wrapped in an app context, because `live` does not import the app."""

    def call(*args: Any) -> Any:
        with app.app_context():
            return function(*args)

    return call


def create_hub(app: Flask) -> Hub:
    """Return a hub, which gets its database reads as callables."""
    wrap = partial(in_app_context, app)
    return Hub(
        connect=lambda: pubsub_client(app.config["REDIS_URL"]),
        newest=wrap(event_log.latest_seq),
        since=wrap(event_rendering.since),
        rights=wrap(stream_topics.for_sessions),
        snapshots=Snapshots(wrap(lambda topics: list(topic_states(topics)))),
        on_ended=wrap(record_ended),
    )


def record_ended(subscribers: Collection[Subscriber]) -> None:
    """Tell the presence tracker that these streams ended."""
    tracker.disconnect([(each.owner, each.name) for each in subscribers])


@bp.get("/stream")
@json_view
def stream() -> Any:
    """Stream the events of the caller's topics as they happen.

    The log-in is not loaded here, because `open_streams` checks the log-ins of all streams that
    arrive together by one query.
    """
    if "_user_id" not in session:
        return login_required_response()
    if request.method == "HEAD":  # a page whose stream failed asks whether it is logged in
        granted = current_user.is_authenticated and not is_for_other_account()
        return response(()) if granted else login_required_response()
    hub: Hub = current_app.extensions["live_hub"]
    if hub.closing:
        raise Unavailable(_("Proses web ini sedang berhenti."), code="closing", retry_after=1)
    outcome = open_stream()
    if outcome is None:
        return login_required_response()
    if isinstance(outcome, DomainError):
        raise outcome
    subscriber, missed, state = outcome
    if missed is None:
        reason = str(_("Posisi terakhir terlalu lama atau tidak dikenal."))
        missed = message("reset", {"reason": reason}, subscriber.cursor)
    return response(StreamBody(hub.streams, subscriber, missed + state, request.environ))


@bp.post("/stream/held")
@json_view
@logged_in
@limited(HELD_REPORTS)
def held() -> Any:
    """Record that a page of the caller receives nothing on its stream, although its other requests
    are answered. The doctor reports this."""
    held_streams.report(current_account().id)
    return "", 204


def open_stream() -> Opened | Refusal:
    """Open the stream together with others that arrive now. Raises `Unavailable` if its turn does
    not come within `WAIT_SECONDS`. While it waits, the request holds no connection to the database
    or Valkey."""
    topics = request.args.get("topics")
    names = None if topics is None else frozenset(filter(None, map(str.strip, topics.split(","))))
    arrival = Arrival(
        LoginSession.digest(session["_user_id"]),
        request.headers.get("X-Account", request.args.get("account")),
        names,
        request.headers.get("Last-Event-ID") or request.args.get("cursor"),
        session.get("day") == today(),
    )
    batcher: Batcher[Arrival, Opened | Refusal] = current_app.extensions["stream_batcher"]
    try:
        outcome = batcher.ask(arrival, WAIT_SECONDS)
    except TimeoutError:
        text = _("Server sedang sibuk. Coba lagi beberapa detik lagi.")
        raise Unavailable(text, retry_after=random.randint(*RETRY_SECONDS)) from None  # noqa: S311
    if not arrival.used_today and isinstance(outcome, Opened):
        session["day"] = today()
    return outcome


def response(body: Iterable[bytes]) -> Response:
    """Return a response with the headers that keep proxies from holding a stream back."""
    headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
    return Response(body, mimetype="text/event-stream", headers=headers)
