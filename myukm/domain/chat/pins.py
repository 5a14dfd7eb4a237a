"""The pinned announcement at the top of a UKM's chat: a message or a text."""

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.chat.validation import check_not_deleted, clean_text, find_message
from myukm.domain.push.fan_out import fan_out_later
from myukm.domain.ukm import memberships
from myukm.domain.ukm import state as ukm_state
from myukm.domain.ukm.authorization import authorize_and_lock
from myukm.extensions import db
from myukm.models import ChatMessage, Ukm, UkmPin


def pin_text(actor: Actor, code: str, text: str) -> Ukm:
    """Pin a text of 1 to 1,000 characters, replacing the current pin.

    Raises `NotFound`, `Forbidden`, `Invalid`, or `Conflict` if the UKM is archived.
    """
    body = clean_text(text)
    with transaction():
        return _pin(actor, authorize_and_lock(actor, code), UkmPin(text=body), body)


def pin_message(actor: Actor, code: str, message_id: int) -> Ukm:
    """Pin a message of the UKM. Raises as `pin_text`, and `Conflict` for a deleted message."""
    with transaction():
        ukm = authorize_and_lock(actor, code)
        message = find_message(ukm.id, message_id)
        check_not_deleted(message)
        return _pin(actor, ukm, UkmPin(message_id=message.id))


def _pin(actor: Actor, ukm: Ukm, pin: UkmPin, detail: str = "") -> Ukm:
    memberships.check_not_archived(ukm)
    _remove(ukm)
    pin.ukm_id, pin.by_id, pin.at = ukm.id, actor.user_id, utcnow()
    db.session.add(pin)
    activity.record_in_ukm(ukm.id, actor.user_id, "pinned", detail=detail.partition("\n")[0])
    ukm_state.publish_changed(ukm)
    on_commit(fan_out_later, ukm.id)
    return ukm


def unpin(actor: Actor, code: str) -> Ukm:
    """Remove the pin, if any. Raises `NotFound`, `Forbidden`."""
    with transaction():
        ukm = authorize_and_lock(actor, code)
        if _remove(ukm):
            activity.record_in_ukm(ukm.id, actor.user_id, "unpinned")
            ukm_state.publish_changed(ukm)
    return ukm


def remove_for(message: ChatMessage) -> None:
    """Unpin an erased message, inside `transaction()`."""
    pinned = db.session.get(UkmPin, message.ukm_id, populate_existing=True)
    if pinned and pinned.message_id == message.id:
        _remove(message.ukm)
        ukm_state.publish_changed(message.ukm)


def _remove(ukm: Ukm) -> bool:
    pinned = db.session.get(UkmPin, ukm.id, populate_existing=True)
    if pinned is None:
        return False
    db.session.delete(pinned)
    db.session.flush()
    return True
