"""Renders logged events for replay: loads the current data of the ids that the events refer to.

So a replay contains no deleted texts, and an edited message has its current text.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from myukm.domain.accounts import profile_events
from myukm.domain.chat import broadcast, reactions
from myukm.domain.ukm import state
from myukm.live import event_log
from myukm.live.event_log import LoggedEvent
from myukm.live.events import to_json

Parts = Mapping[int, Mapping[str, Any]]
# By event type: the function that loads the current data of these ids (`ref`), with few queries.
LOADERS: dict[str, Callable[[Collection[int]], Parts]] = {
    "chat.message": broadcast.messages,
    "chat.edited": broadcast.messages,
    "chat.deleted": broadcast.messages,
    "chat.reaction": reactions.not_deleted,
    "chat.person": profile_events.profiles,
    "membership": profile_events.names,
    "ukm.changed": state.by_ids,
}
# By event type: the key of the event's data whose value is the id that `ref` has.
ID_KEYS = {
    "chat.message": "id",
    "chat.edited": "id",
    "chat.deleted": "id",
    "chat.reaction": "message_id",
    "chat.person": "user_id",
    "membership": "user_id",
}
NO_ROW = 0  # an id that no row has


def since(
    seq: int, limit: int, topics: Collection[str] | None = None, until: int | None = None
) -> list[LoggedEvent]:
    """Return events as `event_log.since` does, with their current data; `data` is None if the
    subject is gone."""
    return render(event_log.since(seq, limit, topics, until))


def render(events: Sequence[LoggedEvent]) -> list[LoggedEvent]:
    """Return the events with their current data; `data` is None if the subject is gone."""
    ids = defaultdict[Callable[[Collection[int]], Parts], set[int]](set)
    events = [_with_ref(event) for event in events]
    for event in events:
        if event.ref is not None:
            ids[LOADERS[event.type]].add(event.ref)
    found = {load: load(refs) for load, refs in ids.items()}
    return [
        event if event.ref is None else _completed(event, found[LOADERS[event.type]].get(event.ref))
        for event in events
    ]


def _with_ref(event: LoggedEvent) -> LoggedEvent:
    """Return the event; if it has no `ref`, with the id of its data as `ref`.

    During a rolling upgrade, processes of the older version log events without `ref` and with texts
    in their data, which may be deleted by now. The data of `ukm.changed` has no id, so this event
    is not replayed.
    """
    if event.ref is not None or event.type not in LOADERS:
        return event
    if event.type not in ID_KEYS:
        return event._replace(ref=NO_ROW)
    return event._replace(ref=json.loads(event.data or "{}").get(ID_KEYS[event.type]))


def _completed(event: LoggedEvent, part: Mapping[str, Any] | None) -> LoggedEvent:
    if part is None:
        return event._replace(data=None, ref=None)
    data = json.loads(event.data or "{}") | part
    return event._replace(data=to_json(data), ref=None)
