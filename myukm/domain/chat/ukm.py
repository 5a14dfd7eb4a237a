"""Student activity units: who belongs to them, joining, leaving."""

import re
from typing import Any

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, contains_eager

from myukm.database import write
from myukm.domain.chat import presence, ukm_log, ukm_state
from myukm.domain.flood import count_act
from myukm.domain.people.accounts import rights_changed
from myukm.errors import Conflict, Forbidden, NotFound
from myukm.extensions import db
from myukm.models import Membership, Ukm, UkmBlock, User

CODE = re.compile(r"(?=.{2,32}$)[A-Z0-9]+(-[A-Z0-9]+)*")


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


def is_archived(archived: bool) -> ColumnElement[bool]:
    """Return the condition for archived units, or for those in use."""
    return Ukm.archived_at.is_not(None) if archived else Ukm.archived_at.is_(None)


def refuse_archived(ukm: Ukm) -> None:
    """Raise `Conflict` for a UKM that can only be read now."""
    if ukm.archived_at:
        raise Conflict(_("UKM ini diarsipkan: hanya bisa dibaca."), code="archived")


def join(user_id: int, join_code: Any) -> Ukm:
    """Make the account a member of the UKM behind `join_code`.

    Raises `NotFound` for an unknown code, `Conflict` for a member, `Forbidden` for who is blocked.
    """
    wanted = join_code.strip().upper() if isinstance(join_code, str) else ""
    if not CODE.fullmatch(wanted):
        raise _no_such_code()
    with write() as session:
        # Under the lock: a code that was renewed lets nobody in, however close the two came.
        query = select(Ukm).where(Ukm.join_code == wanted, is_archived(False))
        known = session.scalar(query.with_for_update(key_share=True))
        if known is None:
            raise _no_such_code()
        _refuse_blocked(session, known.id, user_id)
        count_act(user_id)
        enter(session, known.id, user_id, by=user_id, change="joined")
    rights_changed()
    presence.tell_member(known, user_id)
    return known


def _no_such_code() -> NotFound:
    return NotFound(_("Tidak ada UKM dengan kode gabung itu."), code="no_such_code")


def _refuse_blocked(session: Session, ukm_id: int, user_id: int) -> None:
    if session.get(UkmBlock, (ukm_id, user_id), populate_existing=True):
        raise Forbidden(_("Anda diblokir dari UKM ini."), code="blocked")


def enter(
    session: Session,
    ukm_id: int,
    user_id: int,
    *,
    is_admin: bool = False,
    by: int | None = None,
    change: str = "added",
) -> None:
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
    ukm_log.note(ukm_id, by, change, person_id=user_id)
    ukm_state.tell_membership(ukm, member, change)


def leave(user_id: int, code: str) -> None:
    """End the account's membership.

    Raises `NotFound` when there is none, `Conflict` for the last admin of a unit of others.
    """
    with write() as session:
        gone = membership(user_id, code, lock=True)
        count_act(user_id)
        refuse_last_admin(gone)
        ukm_log.note(gone.ukm_id, user_id, "left", person_id=user_id)
        remove(session, gone, "left")
    rights_changed()
    presence.tell_member(gone.ukm, user_id, gone=True)


def refuse_last_admin(place: Membership) -> None:
    """Raise `Conflict` when members would be left without an admin. Call it under the lock."""
    able = Membership.is_admin & User.blocked_at.is_(None)
    others = (
        select(func.count(), func.count(case((able, 1))))
        .join_from(Membership, User)
        .where(Membership.ukm_id == place.ukm_id, Membership.id != place.id)
    )
    members, admins = db.session.execute(others).one()
    if place.is_admin and members and not admins:
        text = _("Anda pengurus terakhir %(ukm)s. Angkat dulu pengurus lain.", ukm=place.ukm.name)
        raise Conflict(text, code="last_admin")


def remove(session: Session, gone: Membership, change: str) -> None:
    """Delete a membership that is locked, and say so."""
    ukm_state.tell_membership(gone.ukm, gone, change, member=False)
    session.delete(gone)
