"""Memberships of UKMs: look up, join, leave."""

import re
from datetime import datetime

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, bindparam, case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, contains_eager

from myukm.db.session import on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts
from myukm.domain.flood import count_act
from myukm.domain.presence import tracker
from myukm.domain.ukm import open_requests
from myukm.domain.ukm import state as ukm_state
from myukm.errors import Conflict, Forbidden, NotFound
from myukm.extensions import db
from myukm.live.topics import publish_rights_changed
from myukm.models import Membership, Ukm, UkmBlock, User

CODE = re.compile(r"(?=.{2,32}$)[A-Z0-9]+(-[A-Z0-9]+)*")


def get_membership(user_id: int, code: str, *, lock: bool = False) -> Membership:
    """Return the account's membership of the UKM `code`, with `ukm` loaded.

    Every access of a member to a UKM goes through this. `lock` (inside `transaction()`) locks the
    UKM and then the membership until the commit. Raises `NotFound` if the account is not a member.
    """
    query = _OWN_LOCKED if lock else _OWN
    keys = {"code": code, "user": user_id}
    mine = db.session.scalar(query, keys) if CODE.fullmatch(code) else None
    if mine is None:
        raise NotFound(_("UKM ini tidak ada."), code="no_such_ukm")
    return mine


def already_member() -> Conflict:
    """Return the error for a member who joins the same UKM, or requests to join it."""
    return Conflict(_("Sudah menjadi anggota UKM ini."), code="already_member")


def is_member(user_id: int, ukm_id: int) -> bool:
    """Return whether the account is a member of the UKM."""
    query = select(Membership.id).where(Membership.ukm_id == ukm_id, Membership.user_id == user_id)
    return db.session.scalar(query) is not None


# Built once, because every call of a member needs it.
_OWN = (
    select(Membership)
    .join_from(Ukm, Membership)
    .options(contains_eager(Membership.ukm))
    .where(Ukm.code == bindparam("code"), Membership.user_id == bindparam("user"))
    .execution_options(populate_existing=True)
)
_OWN_LOCKED = _OWN.with_for_update(key_share=True)


def is_archived(archived: bool) -> ColumnElement[bool]:
    """Return the SQL condition for archived UKMs, or for active ones."""
    return Ukm.archived_at.is_not(None) if archived else Ukm.archived_at.is_(None)


def check_not_archived(ukm: Ukm) -> None:
    """Raise `Conflict` if the UKM is archived, because it is then read-only."""
    if ukm.archived_at:
        raise Conflict(_("UKM ini diarsipkan: hanya bisa dibaca."), code="archived")


def join(user_id: int, join_code: str) -> Ukm:
    """Add the account to the UKM with this join code and return the UKM.

    Raises `NotFound` for an unknown code, `Conflict` if already a member, `Forbidden` if blocked.
    """
    wanted = join_code.strip().upper()
    if not CODE.fullmatch(wanted):
        raise _no_such_code()
    return join_where(user_id, Ukm.join_code == wanted, _no_such_code())


def join_where(user_id: int, invited: ColumnElement[bool], unknown: NotFound) -> Ukm:
    """Add the account to the active UKM for which `invited` holds. Raises as `join`, and `unknown`
    if there is no such UKM."""
    with transaction() as session:
        # Read under the lock, so that a code renewed meanwhile is not accepted.
        query = select(Ukm).where(invited, is_archived(False)).with_for_update(key_share=True)
        ukm = session.scalar(query.execution_options(populate_existing=True))
        if ukm is None:
            raise unknown
        check_not_blocked(session, ukm.id, user_id)
        count_act(user_id)
        add_member(session, ukm.id, user_id, by=user_id, change="joined")
    return ukm


def _no_such_code() -> NotFound:
    return NotFound(_("Tidak ada UKM dengan kode gabung itu."), code="no_such_code")


def check_not_blocked(session: Session, ukm_id: int, user_id: int) -> None:
    """Raise `Forbidden` if the account is blocked from the UKM."""
    if session.get(UkmBlock, (ukm_id, user_id), populate_existing=True):
        raise Forbidden(_("Anda diblokir dari UKM ini."), code="blocked")


def add_member(
    session: Session,
    ukm_id: int,
    user_id: int,
    *,
    is_admin: bool = False,
    by: int | None = None,
    change: str = "added",
) -> Membership:
    """Insert and return a membership with all earlier messages marked read; delete the account's
    request to join.

    A person who left while muted is still muted, but `is_admin` unmutes. `by` is the account that
    adds the person, `change` the action in the log. Raises `Conflict` if the person is a member
    already, `NotFound` if the account was deleted meanwhile.
    """
    ukm = session.get_one(Ukm, ukm_id, populate_existing=True)
    user = accounts.lock(session, user_id)
    if user is None or user.deleted_at:
        raise NotFound(_("Akun ini sudah dihapus."), code="account_deleted")
    muted_until = _lasting_mute(ukm_id, user_id)
    if muted_until and is_admin:
        muted_until = None
        activity.record_in_ukm(ukm_id, by, "unmuted", person_id=user_id)
    member = Membership(ukm_id=ukm_id, user_id=user_id, is_admin=is_admin, muted_until=muted_until)
    member.read_number = ukm.last_number
    session.add(member)
    try:
        session.flush()
    except IntegrityError:
        raise already_member() from None
    open_requests.delete_of_member(session, ukm, user_id)
    activity.record_in_ukm(ukm_id, by, change, person_id=user_id)
    ukm_state.publish_membership(ukm, member, change)
    publish_rights_changed()
    on_commit(tracker.publish_joined, ukm, user_id)
    return member


def _lasting_mute(ukm_id: int, user_id: int) -> datetime | None:
    """Return until when a former member is muted, from the log, as the membership is deleted."""
    last = activity.newest_about(ukm_id, user_id, "muted", "unmuted", "promoted")
    until = datetime.fromisoformat(last.detail) if last and last.verb == "muted" else None
    return until if until and until > utcnow() else None


def leave(user_id: int, code: str) -> None:
    """End the account's membership.

    Raises `NotFound` if there is none, `Conflict` for the last admin of a UKM with other members.
    """
    with transaction() as session:
        gone = get_membership(user_id, code, lock=True)
        count_act(user_id)
        check_not_last_admin(gone)
        remove(session, gone, "left", by=user_id)


def check_not_last_admin(membership: Membership) -> None:
    """Raise `Conflict` if other members would be left without an admin. Call it under the lock."""
    able = Membership.is_admin & User.blocked_at.is_(None)
    others = (
        select(func.count(), func.count(case((able, 1))))
        .join_from(Membership, User)
        .where(Membership.ukm_id == membership.ukm_id, Membership.id != membership.id)
    )
    members, admins = db.session.execute(others).one()
    if membership.is_admin and members and not admins:
        text = _(
            "Anda pengurus terakhir %(ukm)s. Angkat dulu pengurus lain.", ukm=membership.ukm.name
        )
        raise Conflict(text, code="last_admin")


def remove(
    session: Session, gone: Membership, change: str, *, by: int | None, detail: str = ""
) -> None:
    """Delete a locked membership and publish the change; `by` and `change` as in `add_member`."""
    activity.record_in_ukm(gone.ukm_id, by, change, person_id=gone.user_id, detail=detail)
    ukm_state.publish_membership(gone.ukm, gone, change, member=False)
    session.delete(gone)
    publish_rights_changed()
    on_commit(tracker.publish_left, gone.ukm, gone.user_id)
