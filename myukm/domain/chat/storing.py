"""The transaction that stores a message. Its first statement locks the UKM's row."""

from typing import Any, cast

from sqlalchemy import Connection, Table, Update, bindparam, insert, select, update
from sqlalchemy.orm import make_transient_to_detached

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain.chat import addressees, broadcast
from myukm.domain.files import attachments
from myukm.domain.flood import count_act
from myukm.models import ChatMessage, Membership, Ukm


class Outdated(Exception):
    """Data that was read before the UKM's row was locked has changed. The caller tries again with
    fresh data, which succeeds or raises the error that applies now."""


def store(membership: Membership, message: ChatMessage) -> ChatMessage:
    """Insert the message with the UKM's next number, and mark it read for its author.

    Raises `Outdated` if meanwhile the UKM was archived, the author muted or removed, or one of the
    files sent with another message or deleted; `TooFast` (see `flood`); `IntegrityError` for a
    `client_id` that is stored already.
    """
    values = {"ukm": membership.ukm_id, "mine": membership.id, "now": utcnow()}
    with transaction() as session:
        connection = session.connection()
        _update_one_row(connection, _TAKE_NUMBER, values)
        count_act(message.user_id)
        row = connection.execute(_INSERT, values | _columns(message))
        message_id = cast(Any, row.inserted_primary_key)[0]
        addressees.record(message, message_id)
        if message.file_count and not attachments.attach(message.files, message_id):
            raise Outdated
        _update_one_row(connection, _MARK_READ, values)
        on_commit(broadcast.broadcast_later, membership.ukm_id)
        # Add the message to the session before the commit, because `broadcast_later` may load the
        # row, and then a second object of the row could not be added.
        message.id = message_id
        make_transient_to_detached(message)
        session.add(message)
    return message


def _columns(message: ChatMessage) -> dict[str, Any]:
    return {name: value for name, value in vars(message).items() if name in _MESSAGE.c}


def _update_one_row(connection: Connection, statement: Update, values: dict[str, Any]) -> None:
    """Execute an UPDATE of one row. Raises `Outdated` if no row matches."""
    if not connection.execute(statement, values).rowcount:
        raise Outdated


# Built once, because building a statement takes longer than executing it.
_MESSAGE, _UKM, _MEMBERSHIP = (
    cast(Table, model.__table__) for model in (ChatMessage, Ukm, Membership)
)
_ITS_UKM = _UKM.c.id == bindparam("ukm")
_NUMBER = select(_UKM.c.last_number).where(_ITS_UKM).scalar_subquery()
_TAKE_NUMBER = (
    update(_UKM)
    .where(_ITS_UKM, _UKM.c.archived_at.is_(None))
    .values(last_number=_UKM.c.last_number + 1)
)
_INSERT = insert(_MESSAGE).values(number=_NUMBER)
_MARK_READ = (
    update(_MEMBERSHIP)
    .where(_MEMBERSHIP.c.id == bindparam("mine"))
    .where(_MEMBERSHIP.c.muted_until.is_(None) | (_MEMBERSHIP.c.muted_until <= bindparam("now")))
    .values(read_number=_NUMBER)
)
