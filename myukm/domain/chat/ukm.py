"""Student activity units: who belongs to them, joining, leaving."""

import re
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, contains_eager

from myukm.database import write
from myukm.domain.chat import presence
from myukm.domain.people.accounts import rights_changed
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.models import ChatMessage, Membership, Ukm

CODE = re.compile(r"(?=.{2,32}$)[A-Z0-9]+(-[A-Z0-9]+)*")


class Unit(NamedTuple):
    """A UKM as its member sees it in the list; `last_message` is a message object."""

    id: int
    code: str
    name: str
    description: str
    unread: int
    member_count: int
    last_message: dict[str, Any] | None


def membership(user_id: int, code: str, *, lock: bool = False) -> Membership:
    """Return the account's membership in the UKM `code`, with its `ukm` loaded.

    The one way to a UKM for everyone, whatever the role. `lock` (inside `write()`) keeps others
    from changing the UKM and this membership until the commit. Raises `NotFound` for strangers.
    """
    query = (
        select(Membership)
        .join(Membership.ukm)
        .options(contains_eager(Membership.ukm))
        .where(Ukm.code == code, Membership.user_id == user_id)
    )
    if lock:
        query = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    mine = db.session.scalar(query) if CODE.fullmatch(code) else None
    if mine is None:
        raise NotFound(_("UKM ini tidak ada."), code="no_such_ukm")
    return mine


def mine(user_id: int) -> list[Unit]:
    """Return the UKMs of an account by name, in one query."""
    size = select(func.count()).where(Membership.ukm_id == Ukm.id).correlate(Ukm)
    query = (
        select(Membership, ChatMessage, size.scalar_subquery())
        .join(Membership.ukm)
        .outerjoin(
            ChatMessage,
            (ChatMessage.ukm_id == Ukm.id) & (ChatMessage.number == Ukm.last_number),
        )
        .outerjoin(ChatMessage.user)
        .options(contains_eager(Membership.ukm), contains_eager(ChatMessage.user))
        .where(Membership.user_id == user_id)
        .order_by(Ukm.name)
    )
    return [_unit(*row) for row in db.session.execute(query)]


def _unit(mine: Membership, last: ChatMessage | None, size: int) -> Unit:
    ukm = mine.ukm
    shown = last.as_json() if last else None
    return Unit(ukm.id, ukm.code, ukm.name, ukm.description, mine.unread, size, shown)


def join(user_id: int, join_code: Any) -> Ukm:
    """Make the account a member of the UKM behind `join_code`.

    Raises `NotFound` for an unknown code, `Conflict` for a member.
    """
    wanted = join_code.strip().upper() if isinstance(join_code, str) else ""
    query = select(Ukm).where(Ukm.join_code == wanted)
    known = db.session.scalar(query) if CODE.fullmatch(wanted) else None
    if known is None:
        raise NotFound(_("Tidak ada UKM dengan kode gabung itu."), code="no_such_code")
    with write() as session:
        enter(session, known.id, user_id)
    rights_changed()
    presence.tell_member(known, user_id)
    return known


def enter(session: Session, ukm_id: int, user_id: int, *, is_admin: bool = False) -> None:
    """Insert the membership; what was said before counts as read. Raises `Conflict`."""
    ukm = session.get_one(Ukm, ukm_id, populate_existing=True)
    member = Membership(
        ukm_id=ukm_id, user_id=user_id, is_admin=is_admin, read_number=ukm.last_number
    )
    session.add(member)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(_("Sudah menjadi anggota UKM ini."), code="already_member") from None


def leave(user_id: int, code: str) -> None:
    """End the account's membership. Raises `NotFound` when there is none."""
    gone = membership(user_id, code)
    with write() as session:
        session.execute(delete(Membership).where(Membership.id == gone.id))
    rights_changed()
    presence.tell_member(gone.ukm, user_id, gone=True)
