"""What a unit's admins decide about its members: out, silent, admin."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import current_app
from flask_babel import lazy_gettext as _

from myukm.database import iso, utcnow, write
from myukm.domain.chat import presence, ukm, ukm_log, ukm_state
from myukm.domain.chat.ukm_desk import Officer, take, take_member
from myukm.domain.people.accounts import rights_changed
from myukm.errors import Conflict, Invalid, NotFound
from myukm.extensions import db
from myukm.models import Membership, UkmBlock, User

SPANS = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
LONGEST = timedelta(days=366)


def remove(officer: Officer, code: str, user_id: int, *, block: bool = False) -> None:
    """Put a member out; the join code lets them in again, unless they are blocked as well.

    Raises `NotFound`, `Forbidden`, `Conflict` for oneself.
    """
    change = "blocked" if block else "removed"
    with write() as session:
        gone = take_member(officer, code, user_id)
        _refuse_oneself(officer, gone)
        ukm_log.note(gone.ukm_id, officer.user_id, change, person_id=user_id)
        ukm.remove(session, gone, change)
        if block:
            session.merge(UkmBlock(ukm_id=gone.ukm_id, user_id=user_id))
    rights_changed()
    presence.tell_member(gone.ukm, user_id, gone=True)


def unblock(officer: Officer, code: str, user_id: int) -> None:
    """Let the join code work again for a person. Raises `NotFound`, `Forbidden`."""
    with write() as session:
        unit = take(officer, code)
        blocked = session.get(UkmBlock, (unit.id, user_id))
        if blocked is None:
            raise NotFound(_("Orang ini tidak diblokir dari UKM ini."), code="not_blocked")
        session.delete(blocked)
        ukm_log.note(unit.id, officer.user_id, "unblocked", person_id=user_id)


def mute(officer: Officer, code: str, user_id: int, until: datetime) -> Membership:
    """Let a member only read until a moment.

    Raises `NotFound`, `Forbidden`, `Conflict` for oneself and for admins of the unit.
    """
    with write():
        place = take_member(officer, code, user_id)
        _refuse_oneself(officer, place)
        if place.is_admin:
            raise Conflict(_("Cabut dulu jabatan pengurusnya."), code="is_admin")
        place.muted_until = until
        ukm_log.note(
            place.ukm_id, officer.user_id, "muted", person_id=user_id, detail=iso(until) or ""
        )
        ukm_state.tell_membership(place.ukm, place, "muted")
    return place


def unmute(officer: Officer, code: str, user_id: int) -> Membership:
    """Let a member write again. Raises `NotFound`, `Forbidden`."""
    with write():
        place = take_member(officer, code, user_id)
        if place.is_muted():
            ukm_log.note(place.ukm_id, officer.user_id, "unmuted", person_id=user_id)
            place.muted_until = None
            ukm_state.tell_membership(place.ukm, place, "unmuted")
    return place


def promote(officer: Officer, code: str, user_id: int) -> Membership:
    """Make a member an admin of the unit, who is not muted then. Raises `NotFound`, `Forbidden`."""
    with write():
        place = take_member(officer, code, user_id)
        if not place.is_admin:
            place.is_admin, place.muted_until = True, None
            _note_rank(officer, place, "promoted")
    return place


def demote(officer: Officer, code: str, user_id: int) -> Membership:
    """Make an admin of the unit a plain member.

    Raises `NotFound`, `Forbidden`, `Conflict` when the last admin demotes himself.
    """
    with write():
        place = take_member(officer, code, user_id)
        if place.is_admin:
            if user_id == officer.user_id:
                ukm.refuse_last_admin(place)
            place.is_admin = False
            _note_rank(officer, place, "demoted")
    return place


def _note_rank(officer: Officer, place: Membership, change: str) -> None:
    ukm_log.note(place.ukm_id, officer.user_id, change, person_id=place.user_id)
    ukm_state.tell_membership(place.ukm, place, change)


def _refuse_oneself(officer: Officer, place: Membership) -> None:
    if place.user_id == officer.user_id:
        raise Conflict(
            _("Ini diri Anda sendiri. Untuk keluar, pakai Keluar dari UKM."), code="own_membership"
        )


def blocked(ukm_id: int) -> list[tuple[User, datetime]]:
    """Return who is blocked from a unit, and since when, by name."""
    query = db.select(User, UkmBlock.at).join_from(UkmBlock, UkmBlock.user)
    found = db.session.execute(query.where(UkmBlock.ukm_id == ukm_id).order_by(User.name, User.id))
    return [(user, at) for user, at in found]


def moment(span: Any, until: Any) -> datetime:
    """Return when a mute ends: after a span of `SPANS`, or at an ISO 8601 moment.

    A moment without a zone is meant in the campus's. Raises `Invalid`.
    """
    if isinstance(span, str) and span in SPANS:
        return utcnow() + SPANS[span]
    try:
        end = datetime.fromisoformat(until)
        if end.tzinfo is None:
            end = end.replace(tzinfo=ZoneInfo(current_app.config["MYUKM_TIMEZONE"]))
        end = end.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _bad_until() from None
    if not timedelta(0) < end - utcnow() <= LONGEST:
        raise _bad_until()
    return end


def _bad_until() -> Invalid:
    return Invalid(
        _("Pilih sampai kapan: waktu yang akan datang, paling lama satu tahun."), code="bad_until"
    )
