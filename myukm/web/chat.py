"""A UKM's chat: its page, its messages, typing and presence."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request

from myukm.domain.chat import (
    attendance,
    chat,
    history,
    mentions,
    notices,
    presence,
    reactions,
    ukm,
    ukm_state,
    unread,
)
from myukm.live import log
from myukm.web.access import json_call, logged_in, me
from myukm.web.arguments import json_object, limit_body, whole_number

MOST, USUAL = 100, 50

bp = Blueprint("chat", __name__, url_prefix="/ukm/<code>")
bp.before_request(limit_body)


@bp.get("/chat")
@logged_in
def room(code: str) -> str:
    """Show the chat. The cursor is taken before the state is read, so nothing is lost between."""
    cursor = log.newest()
    place = ukm.membership(me().id, code)
    return render_template(
        "chat/room.html",
        ukm=place.ukm,
        me={"user_id": me().id, "name": me().name},
        unread=place.unread,
        state=ukm_state.of(place),
        cursor=cursor,
        messages=history.as_seen(history.page(place, limit=USUAL), me().id),
        first_unread=history.first_unread(place),
        notices=place.notices,
        emoji=reactions.EMOJI,
        members=attendance.online(place.ukm),
    )


@bp.get("/messages")
@json_call
@logged_in
def messages(code: str) -> Any:
    """Return a page of messages, and the cursor from which the stream goes on after them."""
    cursor = log.newest()
    place = ukm.membership(me().id, code)
    found = history.page(
        place,
        before=whole_number("before"),
        after=whole_number("after"),
        limit=min(whole_number("limit") or USUAL, MOST),
    )
    return jsonify({"messages": history.as_seen(found, me().id), "cursor": str(cursor)})


@bp.post("/messages")
@json_call
@logged_in
def post(code: str) -> Any:
    """Store a message: 201, or 200 when that `client_id` was stored before."""
    sent = json_object()
    message, new = chat.post(
        me(), code, sent.get("message"), sent.get("client_id"), sent.get("reply_to")
    )
    return jsonify(message.as_json()), 201 if new else 200


@bp.patch("/messages/<int:message_id>")
@json_call
@logged_in
def edit(code: str, message_id: int) -> Any:
    """Change one's own message."""
    message = chat.edit(me().id, code, message_id, json_object().get("message"))
    return jsonify(message.as_json())


@bp.delete("/messages/<int:message_id>")
@json_call
@logged_in
def delete(code: str, message_id: int) -> Any:
    """Delete a message."""
    chat.delete(me().id, code, message_id)
    return "", 204


@bp.put("/messages/<int:message_id>/reactions/<emoji>")
@json_call
@logged_in
def react(code: str, message_id: int, emoji: str) -> Any:
    """Put an emoji on a message."""
    return jsonify({"reactions": reactions.put(me().id, code, message_id, emoji)})


@bp.delete("/messages/<int:message_id>/reactions/<emoji>")
@json_call
@logged_in
def take_back(code: str, message_id: int, emoji: str) -> Any:
    """Take one's own emoji from a message."""
    return jsonify({"reactions": reactions.remove(me().id, code, message_id, emoji)})


@bp.get("/names")
@json_call
@logged_in
def names(code: str) -> Any:
    """Return the members whose name begins as `q` says, for a mention."""
    place = ukm.membership(me().id, code)
    return jsonify({"members": mentions.suggest(place.ukm_id, request.args.get("q", ""))})


@bp.put("/notices")
@json_call
@logged_in
def choose_notices(code: str) -> Any:
    """Choose which messages of the UKM ring."""
    notices.choose(ukm.membership(me().id, code), json_object().get("notices"))
    return "", 204


@bp.post("/read")
@json_call
@logged_in
def read(code: str) -> Any:
    """Note how far the reader has read."""
    unread.mark_read(ukm.membership(me().id, code), json_object().get("last_id"))
    return "", 204


@bp.post("/typing")
@json_call
@logged_in
def typing(code: str) -> Any:
    """Tell the others that a member is writing."""
    presence.typing(ukm.membership(me().id, code))
    return "", 204


@bp.get("/online")
@json_call
@logged_in
def online(code: str) -> Any:
    """Return who is here."""
    return jsonify(attendance.online(ukm.membership(me().id, code).ukm))
