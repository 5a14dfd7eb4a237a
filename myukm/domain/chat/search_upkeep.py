"""Gives terms to messages that have none: those that processes of an older version write while new
ones are started one after another."""

import time
from typing import cast

from sqlalchemy import Table, bindparam, func, select, update

from myukm.db.session import transaction
from myukm.extensions import db
from myukm.models import ChatMessage
from myukm.models.search_terms import search_text

# Ids that are looked at in one run, and the newest ones that are looked at again, because what an
# older process writes may be committed late.
PORTION, AGAIN, EVERY_SECONDS = 1000, 500, 10.0

_MESSAGE = cast(Table, ChatMessage.__table__)
_FILL = (
    update(_MESSAGE)
    .where(_MESSAGE.c.id == bindparam("key"))
    .where(_MESSAGE.c.search_text == "", _MESSAGE.c.deleted_at.is_(None))
    .values(search_text=bindparam("terms"))
)


class TermFiller:
    """A task of the leader: goes through all messages once, then follows the newest."""

    def __init__(self) -> None:
        self._after, self._next = 0, 0.0

    def run(self) -> None:
        """Look at the next portion when it is due."""
        if time.monotonic() < self._next:
            return
        newest = db.session.scalar(select(func.max(ChatMessage.id))) or 0
        until = min(self._after + PORTION, newest)
        fill(self._after, until)
        self._after = max(self._after, min(until, newest - AGAIN))
        self._next = time.monotonic() + EVERY_SECONDS if until == newest else 0.0


def fill(after: int, until: int) -> None:
    """Give terms to the messages with ids in `(after, until]` that have none and are not deleted.

    Who edits or deletes one at that moment wins, because the update asks again.
    """
    columns = (ChatMessage.id, ChatMessage.ukm_id, ChatMessage.user_id, ChatMessage.body)
    query = select(*columns, ChatMessage.file_count).where(
        ChatMessage.id > after, ChatMessage.id <= until, ChatMessage.search_text == ""
    )
    rows = db.session.execute(query.where(ChatMessage.deleted_at.is_(None))).all()
    db.session.commit()
    if not rows:
        return
    found = [
        {"key": row.id, "terms": search_text(*row[1:4], has_files=row.file_count > 0)}
        for row in rows
    ]
    with transaction() as session:
        session.connection().execute(_FILL, found)
