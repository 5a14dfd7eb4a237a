"""Moderation of members by a UKM's managers: remove, block, mute, promote."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _

from myukm.db.session import on_commit, transaction
from myukm.db.types import to_iso8601, utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts
from myukm.domain.actor import Actor
from myukm.domain.ukm import memberships, unread
from myukm.domain.ukm import state as ukm_state
from myukm.domain.ukm.authorization import authorize_and_lock, lock_member
from myukm.errors import Conflict, Invalid, NotFound
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import Activity, Membership, UkmBlock, User

MUTE_DURATIONS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
UNDO_SECONDS = 600
MAX_MUTE = timedelta(days=366)
# The fields of a removed membership that are stored in the log, so that `undo_removal` can restore
# them.
STORED = ("is_admin", "notices", "push_all", "read_number", "read_at", "joined_at")
TIMES = ("read_at", "joined_at")


def remove(actor: Actor, code: str, user_id: int, *, block: bool = False) -> None:
    """Remove a member. The person can join again by code, unless `block` is set.

    Raises `NotFound`, `Forbidden`, or `Conflict` for the actor's own membership.
    """
    change = "blocked" if block else "removed"
    with transaction() as session:
        gone = lock_member(actor, code, user_id)
        _reject_self(actor, gone)
        stored = {name: getattr(gone, name) for name in STORED}
        detail = json.dumps(stored, separators=(",", ":"), default=str)
        memberships.remove(session, gone, change, by=actor.user_id, detail=detail)
        if block:
            session.merge(UkmBlock(ukm_id=gone.ukm_id, user_id=user_id))


def undo_removal(actor: Actor, code: str, user_id: int) -> None:
    """Undo the actor's own removal of a person within `UNDO_SECONDS`: restore the membership.

    Raises `NotFound`, `Forbidden`, or `Conflict` for an archived UKM, after that time, and if the
    removal is not the newest entry about the person in the log.
    """
    with transaction() as session:
        ukm = authorize_and_lock(actor, code)
        memberships.check_not_archived(ukm)
        user = accounts.lock(session, user_id)
        last = activity.newest_about(ukm.id, user_id)
        if user is None or user.blocked_at or last is None or not _may_undo(actor, last):
            raise Conflict(_("Ini tidak bisa diurungkan lagi."), code="too_late")
        if blocked := session.get(UkmBlock, (ukm.id, user_id)):
            session.delete(blocked)
        fields = _stored_fields(last)
        is_admin = bool(fields.get("is_admin"))
        member = memberships.add_member(
            session, ukm.id, user_id, is_admin=is_admin, by=actor.user_id
        )
        for name, value in fields.items():
            setattr(member, name, value)
        on_commit(unread.publish, ukm.id, user_id)


def _may_undo(actor: Actor, last: Activity) -> bool:
    """Return whether the newest entry about a person is a recent removal by the actor."""
    recent = (utcnow() - last.at).total_seconds() <= UNDO_SECONDS
    return recent and last.actor_id == actor.user_id and last.verb in ("removed", "blocked")


def _stored_fields(removal: Activity) -> dict[str, Any]:
    """Return the fields of the removed membership from its log entry."""
    if not removal.detail.startswith("{"):  # written by an older version
        return {"is_admin": removal.detail == "admin"}
    fields = json.loads(removal.detail)
    times = {name: fields[name] and datetime.fromisoformat(fields[name]) for name in TIMES}
    return {**fields, **times}


def unblock(actor: Actor, code: str, user_id: int) -> None:
    """Remove a person's block. Raises `NotFound`, `Forbidden`."""
    with transaction() as session:
        ukm = authorize_and_lock(actor, code)
        blocked = session.get(UkmBlock, (ukm.id, user_id))
        if blocked is None:
            raise NotFound(_("Orang ini tidak diblokir dari UKM ini."), code="not_blocked")
        session.delete(blocked)
        activity.record_in_ukm(ukm.id, actor.user_id, "unblocked", person_id=user_id)


def mute(actor: Actor, code: str, user_id: int, until: datetime) -> Membership:
    """Mute a member until a time: the member can only read.

    Raises `NotFound`, `Forbidden`, or `Conflict` for the actor and for admins of the UKM.
    """
    with transaction():
        membership = lock_member(actor, code, user_id)
        _reject_self(actor, membership)
        if membership.is_admin:
            raise Conflict(_("Cabut dulu jabatan pengurusnya."), code="is_admin")
        membership.muted_until = until
        activity.record_in_ukm(
            membership.ukm_id,
            actor.user_id,
            "muted",
            person_id=user_id,
            detail=to_iso8601(until) or "",
        )
        ukm_state.publish_membership(membership.ukm, membership, "muted")
    return membership


def unmute(actor: Actor, code: str, user_id: int) -> Membership:
    """Unmute a member. Raises `NotFound`, `Forbidden`."""
    with transaction():
        membership = lock_member(actor, code, user_id)
        if membership.is_muted():
            activity.record_in_ukm(membership.ukm_id, actor.user_id, "unmuted", person_id=user_id)
            membership.muted_until = None
            ukm_state.publish_membership(membership.ukm, membership, "unmuted")
    return membership


def promote(actor: Actor, code: str, user_id: int) -> Membership:
    """Promote a member to admin, which also unmutes. Raises `NotFound`, `Forbidden`."""
    with transaction():
        membership = lock_member(actor, code, user_id)
        if not membership.is_admin:
            make_admin(actor, membership)
    return membership


def make_admin(actor: Actor, membership: Membership) -> None:
    """Make the member of a locked membership an admin, which also unmutes."""
    membership.is_admin, membership.muted_until = True, None
    _record_role_change(actor, membership, "promoted")


def demote(actor: Actor, code: str, user_id: int) -> Membership:
    """Demote an admin to member.

    Raises `NotFound`, `Forbidden`, or `Conflict` if the actor is the last admin and demotes
    themselves.
    """
    with transaction():
        membership = lock_member(actor, code, user_id)
        if membership.is_admin:
            if user_id == actor.user_id:
                memberships.check_not_last_admin(membership)
            membership.is_admin = False
            _record_role_change(actor, membership, "demoted")
    return membership


def _record_role_change(actor: Actor, membership: Membership, change: str) -> None:
    activity.record_in_ukm(membership.ukm_id, actor.user_id, change, person_id=membership.user_id)
    ukm_state.publish_membership(membership.ukm, membership, change)


def _reject_self(actor: Actor, membership: Membership) -> None:
    if membership.user_id == actor.user_id:
        raise Conflict(
            _("Ini diri Anda sendiri. Untuk keluar, pakai Keluar dari UKM."), code="own_membership"
        )


def blocked(ukm_id: int) -> list[tuple[User, datetime]]:
    """Return the people blocked from a UKM, each with the time, ordered by name."""
    query = db.select(User, UkmBlock.at).join_from(UkmBlock, UkmBlock.user)
    found = db.session.execute(query.where(UkmBlock.ukm_id == ukm_id).order_by(User.name, User.id))
    return [(user, at) for user, at in found]


def mute_until(duration: str, until: str) -> datetime:
    """Return when a mute ends: after one of `MUTE_DURATIONS`, or at an ISO 8601 time.

    A time without a zone is in the campus's time zone. Raises `Invalid`, also for both, because one
    of them is not what the person means.
    """
    if duration and until:
        text = _("Pilih lamanya atau waktu berakhirnya, jangan keduanya.")
        raise Invalid(text, code="bad_until")
    if duration in MUTE_DURATIONS:
        return utcnow() + MUTE_DURATIONS[duration]
    try:
        end = datetime.fromisoformat(until)
        if end.tzinfo is None:
            end = end.replace(tzinfo=campus_timezone())
        end = end.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _bad_until() from None
    if not timedelta(0) < end - utcnow() <= MAX_MUTE:
        raise _bad_until()
    return end


def _bad_until() -> Invalid:
    return Invalid(
        _("Pilih sampai kapan: waktu yang akan datang, paling lama satu tahun."), code="bad_until"
    )
