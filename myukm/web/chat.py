"""A UKM's chat: its page, its messages, typing and presence."""

from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template, request

from myukm.domain.chat import history, mentions, reactions
from myukm.domain.chat import messages as chat_messages
from myukm.domain.files import quotas
from myukm.domain.presence import presence_list, tracker
from myukm.domain.ukm import memberships, notification_settings, unread
from myukm.domain.ukm import state as ukm_state
from myukm.live import event_log
from myukm.web import message_rows
from myukm.web.http.access import current_account, json_view, logged_in
from myukm.web.http.body import takes
from myukm.web.http.request_parsing import limit_body, whole_number
from myukm.web.ukm.access import member
from myukm.web.ukm.turns import in_turn

MAX_PAGE, DEFAULT_PAGE = 100, 50  # messages

bp = Blueprint("chat", __name__, url_prefix="/ukm/<code>")
bp.before_request(limit_body)


class NewMessage(msgspec.Struct):
    """A message to store."""

    message: str
    client_id: str
    reply_to: int | None = None
    files: list[int] = []


class EditedMessage(msgspec.Struct):
    """A message's new text."""

    message: str


class NotificationLevel(msgspec.Struct):
    """Which messages notify the member."""

    notices: str


class ReadMarker(msgspec.Struct):
    """The id of the last message that was read."""

    last_id: int


@bp.get("/chat")
@logged_in
def room(code: str) -> str:
    """Show the chat: the newest messages, or those around the id `around`.

    The cursor is read before the messages, so that no event is missed.
    """
    cursor = event_log.latest_seq()
    me = current_account()
    membership = memberships.get_membership(me.id, code)
    around = whole_number("around")
    found, newer_left = history.page_around(membership, around, DEFAULT_PAGE)
    shown = history.as_seen(found, me.id)
    first_unread = history.first_unread(membership)
    return render_template(
        "chat/room.html",
        ukm=membership.ukm,
        my_name=me.name,
        unread=unread.count(membership),
        state=ukm_state.for_member(membership),
        cursor=cursor,
        messages=shown,
        rows=list(message_rows.rows(shown, me.id, first_unread)),
        first_unread=first_unread,
        newer_left=newer_left,
        notices=membership.notices,
        push_all=membership.push_all,
        emoji=reactions.EMOJI,
        max_bytes=quotas.max_bytes(),
        members=presence_list.member_list(membership.ukm),
    )


@bp.get("/messages")
@json_view
@logged_in
def messages(code: str) -> Any:
    """Return a page of messages, and the cursor from which a stream continues."""
    cursor = event_log.latest_seq()
    membership = memberships.get_membership(current_account().id, code)
    found = history.page(
        membership,
        before=whole_number("before"),
        after=whole_number("after"),
        limit=min(whole_number("limit") or DEFAULT_PAGE, MAX_PAGE),
    )
    return jsonify(
        {"messages": history.as_seen(found, current_account().id), "cursor": str(cursor)}
    )


@bp.post("/messages")
@json_view
@in_turn
@member
@takes(NewMessage)
def post(code: str, sent: NewMessage) -> Any:
    """Store a message: 201, or 200 if that `client_id` is already stored."""
    message, new = chat_messages.post(
        current_account(), code, sent.message, sent.client_id, sent.reply_to, sent.files
    )
    return jsonify(message.as_json()), 201 if new else 200


@bp.patch("/messages/<int:message_id>")
@json_view
@in_turn
@member
@takes(EditedMessage)
def edit(code: str, message_id: int, sent: EditedMessage) -> Any:
    """Edit the user's own message."""
    message = chat_messages.edit(current_account().id, code, message_id, sent.message)
    return jsonify(message.as_json())


@bp.delete("/messages/<int:message_id>")
@json_view
@in_turn
@logged_in
def delete(code: str, message_id: int) -> Any:
    """Delete a message."""
    chat_messages.delete(current_account().id, code, message_id)
    return "", 204


@bp.put("/messages/<int:message_id>/reactions/<emoji>")
@json_view
@in_turn
@logged_in
def react(code: str, message_id: int, emoji: str) -> Any:
    """Add the user's reaction to a message."""
    return jsonify({"reactions": reactions.add(current_account().id, code, message_id, emoji)})


@bp.delete("/messages/<int:message_id>/reactions/<emoji>")
@json_view
@in_turn
@logged_in
def take_back(code: str, message_id: int, emoji: str) -> Any:
    """Remove the user's own reaction from a message."""
    return jsonify({"reactions": reactions.remove(current_account().id, code, message_id, emoji)})


@bp.get("/names")
@json_view
@logged_in
def names(code: str) -> Any:
    """Return members whose name starts with `q`, for completing a mention."""
    membership = memberships.get_membership(current_account().id, code)
    return jsonify({"members": mentions.suggest(membership.ukm_id, request.args.get("q", ""))})


@bp.put("/notices")
@json_view
@member
@takes(NotificationLevel)
def choose_notices(code: str, sent: NotificationLevel) -> Any:
    """Set the member's notification level for the UKM."""
    notification_settings.set_level(
        memberships.get_membership(current_account().id, code), sent.notices
    )
    return "", 204


@bp.post("/read")
@json_view
@member
@takes(ReadMarker)
def read(code: str, sent: ReadMarker) -> Any:
    """Move the read marker to the message `last_id`."""
    unread.mark_read(memberships.get_membership(current_account().id, code), sent.last_id)
    return "", 204


@bp.post("/messages/<int:message_id>/unread")
@json_view
@member
def mark_unread(code: str, message_id: int) -> Any:
    """Mark a message and those after it unread."""
    unread.mark_unread(memberships.get_membership(current_account().id, code), message_id)
    return "", 204


@bp.post("/typing")
@json_view
@logged_in
def typing(code: str) -> Any:
    """Publish that the member is typing."""
    tracker.typing(memberships.get_membership(current_account().id, code))
    return "", 204


@bp.get("/online")
@json_view
@logged_in
def online(code: str) -> Any:
    """Return the members with their presence."""
    membership = memberships.get_membership(current_account().id, code)
    return jsonify(presence_list.member_list(membership.ukm))
