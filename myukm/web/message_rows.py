"""The messages in the HTML of the chat page; message_view.js renders later messages alike."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from flask import current_app
from flask_babel import format_date
from flask_babel import gettext as _
from markupsafe import Markup

from myukm.i18n import campus_timezone

TOGETHER = timedelta(minutes=5)
MAX_CACHED = 1024  # messages

# Markup of messages, shared by all readers. The key is the language and everything that is shown.
_cache: dict[tuple[str, bytes], Markup] = {}


def rows(
    messages: Sequence[dict[str, Any]], user_id: int, first_unread: int | None
) -> Iterator[dict[str, Any]]:
    """Yield each message object (oldest first) with what the page needs to show it.

    Adds `at` (campus time); `mine` (by the user); `for_me` (mentions the user or is a reply to the
    user); `is_new` (the first unread one); `continues` (within `TOGETHER` of the same author's
    message before it); `day` (the date above the first message of a day, else "").
    """
    here = campus_timezone()
    parsed = [
        message | {"at": datetime.fromisoformat(message["created_at"]).astimezone(here)}
        for message in messages
    ]
    for before, message in zip([None, *parsed], parsed, strict=False):
        first_of_day = before is None or before["at"].date() != message["at"].date()
        is_new = message["id"] == first_unread
        quoted = message["reply_to"] or {"user_id": None}
        yield message | {
            "mine": message["user_id"] == user_id,
            "for_me": user_id in (*message["mentions"], quoted["user_id"]),
            "is_new": is_new,
            "day": _day(message["at"]) if first_of_day else "",
            "continues": not first_of_day and not is_new and _together(before, message),
        }


def _day(at: datetime) -> str:
    """Return the day of `at`, with its year unless it is this one."""
    is_this_year = at.year == datetime.now(at.tzinfo).year
    return str(format_date(at, _("EEEE, d MMMM") if is_this_year else _("EEEE, d MMMM y")))


def _together(before: dict[str, Any] | None, message: dict[str, Any]) -> bool:
    return (
        before is not None
        and before["user_id"] == message["user_id"]
        and message["at"] - before["at"] < TOGETHER
    )


def rendered(row: dict[str, Any], macro: Callable[[dict[str, Any]], Markup], lang: str) -> Markup:
    """Return the markup of a row of `rows()`, cached (a filter). `macro` is the template's macro,
    `lang` the language in which it renders.

    The cache pays because rendering fifty messages takes longer than the rest of the page, and all
    members see the same messages.
    """
    if current_app.debug:
        return macro(row)  # uncached, so that a changed template is seen
    key = (lang, msgspec.json.encode(row))
    found = _cache.get(key)
    if found is None:
        if len(_cache) >= MAX_CACHED:
            _cache.clear()
        found = _cache[key] = macro(row)
    return found
