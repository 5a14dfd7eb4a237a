"""Fills `search_text` where it is missing. During a rolling upgrade, processes of the older version
write messages without it."""

import time
from typing import cast

from sqlalchemy import Table, bindparam, func, select, update

from myukm.db.session import transaction
from myukm.extensions import db
from myukm.models import ChatMessage
from myukm.models.search_terms import search_text

# How many ids one run checks, and how many of the newest are checked again, because a message with
# a lower id may be committed later.
BATCH_IDS, RECHECKED_IDS, INTERVAL_SECONDS = 1000, 500, 10.0

_MESSAGE = cast(Table, ChatMessage.__table__)
_FILL = (
    update(_MESSAGE)
    .where(_MESSAGE.c.id == bindparam("key"))
    .where(_MESSAGE.c.search_text == "", _MESSAGE.c.deleted_at.is_(None))
    .values(search_text=bindparam("terms"))
)


class TermFiller:
    """A leader task: checks all messages once, then the newest again and again."""

    def __init__(self) -> None:
        self._after, self._next = 0, 0.0

    def run(self) -> None:
        """Fill the next batch when it is due."""
        if time.monotonic() < self._next:
            return
        newest = db.session.scalar(select(func.max(ChatMessage.id))) or 0
        until = min(self._after + BATCH_IDS, newest)
        fill(self._after, until)
        self._after = max(self._after, min(until, newest - RECHECKED_IDS))
        self._next = time.monotonic() + INTERVAL_SECONDS if until == newest else 0.0


def fill(after: int, until: int) -> None:
    """Fill `search_text` of the messages with ids in `(after, until]` that have none.

    The UPDATE repeats the conditions, so a message that is edited or deleted meanwhile stays as it
    is.
    """
    columns = (ChatMessage.id, ChatMessage.ukm_id, ChatMessage.user_id, ChatMessage.body)
    query = select(*columns, ChatMessage.file_count).where(
        ChatMessage.id > after, ChatMessage.id <= until, ChatMessage.search_text == ""
    )
    rows = db.session.execute(query.where(ChatMessage.deleted_at.is_(None))).all()
    db.session.commit()
    if not rows:
        return
    values = [
        {"key": row.id, "terms": search_text(*row[1:4], has_files=row.file_count > 0)}
        for row in rows
    ]
    with transaction() as session:
        session.connection().execute(_FILL, values)
