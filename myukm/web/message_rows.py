"""The messages of the chat's first screen as its template shows them; message_view.js does the same
for those that come later."""

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
MAX_DRAWN = 1024

# The markup of messages as they were drawn for others: by language and all that is shown.
_drawn: dict[tuple[str, bytes], Markup] = {}


def rows(
    messages: Sequence[dict[str, Any]], user_id: int, first_unread: int | None
) -> Iterator[dict[str, Any]]:
    """Yield each message object (oldest first) with what the page shows around it.

    `at` (local time), whether it is `mine` or `for_me`, the first unread one (`is_new`), or goes on
    from the one before it by the same author (`continues`), and the `day` above the first one of a
    day, else "".
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
            "day": format_date(message["at"], _("EEEE, d MMMM")) if first_of_day else "",
            "continues": not first_of_day and not is_new and _together(before, message),
        }


def _together(before: dict[str, Any] | None, message: dict[str, Any]) -> bool:
    return (
        before is not None
        and before["user_id"] == message["user_id"]
        and message["at"] - before["at"] < TOGETHER
    )


def drawn(row: dict[str, Any], draw: Callable[[dict[str, Any]], Markup], lang: str) -> Markup:
    """Return the markup of one of `rows()` (a filter). `draw` is the template's macro, `lang` the
    language in which it draws.

    Drawing fifty messages takes longer than all the rest of the page, and the members of a UKM see
    the same ones.
    """
    if current_app.debug:
        return draw(row)  # whoever changes the template wants to see it
    key = (lang, msgspec.json.encode(row))
    found = _drawn.get(key)
    if found is None:
        if len(_drawn) >= MAX_DRAWN:
            _drawn.clear()
        found = _drawn[key] = draw(row)
    return found
