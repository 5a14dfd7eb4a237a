"""The messages of the chat's first screen as its template shows them; message_view.js does the same
for those that come later."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import format_date, to_user_timezone
from flask_babel import gettext as _

TOGETHER = timedelta(minutes=5)


def rows(
    messages: Sequence[dict[str, Any]], user_id: int, first_unread: int | None
) -> Iterator[dict[str, Any]]:
    """Yield each message object (oldest first) with what the page shows around it.

    `at`, whether it is `mine` or `for_me`, the first unread one (`is_new`), or goes on from the one
    before it by the same author (`continues`), and the `day` above the first one of a day, else "".
    """
    parsed = [
        message | {"at": datetime.fromisoformat(message["created_at"])} for message in messages
    ]
    for before, message in zip([None, *parsed], parsed, strict=False):
        first_of_day = before is None or _day(before) != _day(message)
        is_new = message["id"] == first_unread
        quoted = message["reply_to"] or {"user_id": None}
        yield message | {
            "mine": message["user_id"] == user_id,
            "for_me": user_id in (*message["mentions"], quoted["user_id"]),
            "is_new": is_new,
            "day": format_date(message["at"], _("EEEE, d MMMM")) if first_of_day else "",
            "continues": not first_of_day and not is_new and _together(before, message),
        }


def _day(message: dict[str, Any]) -> Any:
    return to_user_timezone(message["at"]).date()


def _together(before: dict[str, Any] | None, message: dict[str, Any]) -> bool:
    return (
        before is not None
        and before["user_id"] == message["user_id"]
        and message["at"] - before["at"] < TOGETHER
    )
