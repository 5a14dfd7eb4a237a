"""The announcement on top of a unit's chat: one message, or one text."""

from typing import Any

from myukm.database import utcnow, write
from myukm.domain.chat import ukm, ukm_log, ukm_state
from myukm.domain.chat.broadcast import topic
from myukm.domain.chat.chat_rules import checked_text, find_message, refuse_deleted
from myukm.domain.chat.ukm_desk import Officer, take
from myukm.extensions import db
from myukm.live import log as events
from myukm.models import ChatMessage, Ukm, UkmPin


def pin_text(officer: Officer, code: str, text: Any) -> Ukm:
    """Pin a text of 1 to 1,000 characters in place of what was pinned.

    Raises `NotFound`, `Forbidden`, `Invalid`, `Conflict` in an archived unit.
    """
    body = checked_text(text)
    with write():
        return _pin(officer, take(officer, code), UkmPin(text=body), body)


def pin_message(officer: Officer, code: str, message_id: Any) -> Ukm:
    """Pin a message of the unit. Raises as `pin_text`; `Conflict` for a deleted message."""
    with write():
        unit = take(officer, code)
        message = find_message(unit.id, message_id)
        refuse_deleted(message)
        return _pin(officer, unit, UkmPin(message_id=message.id))


def _pin(officer: Officer, unit: Ukm, pin: UkmPin, detail: str = "") -> Ukm:
    ukm.refuse_archived(unit)
    _take_down(unit)
    pin.ukm_id, pin.by_id, pin.at = unit.id, officer.user_id, utcnow()
    db.session.add(pin)
    ukm_log.note(unit.id, officer.user_id, "pinned", detail=detail.partition("\n")[0])
    ukm_state.tell_changed(unit)
    return unit


def unpin(officer: Officer, code: str) -> Ukm:
    """Take down what is pinned, if anything is. Raises `NotFound`, `Forbidden`."""
    with write():
        unit = take(officer, code)
        if _take_down(unit):
            ukm_log.note(unit.id, officer.user_id, "unpinned")
            ukm_state.tell_changed(unit)
    return unit


def forget(message: ChatMessage) -> None:
    """Take a message that was erased down, inside `write()`; earlier events forget it as well."""
    pinned = db.session.get(UkmPin, message.ukm_id, populate_existing=True)
    if pinned and pinned.message_id == message.id:
        _take_down(message.ukm)
        ukm_state.tell_changed(message.ukm)
    needle = f'"pin":{{"message_id":{message.id},'
    events.amend(topic(message.ukm.code), needle, _without_pin)


def _without_pin(state: dict[str, Any]) -> None:
    state["pin"] = None


def _take_down(unit: Ukm) -> bool:
    pinned = db.session.get(UkmPin, unit.id, populate_existing=True)
    if pinned is None:
        return False
    db.session.delete(pinned)
    db.session.flush()
    return True
