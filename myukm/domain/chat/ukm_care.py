"""A unit as a whole, in its admins' hands: name, join code, archive."""

from sqlalchemy import select, update

from myukm.database import utcnow, write
from myukm.domain import audit
from myukm.domain.chat import ukm_log, ukm_state, unread
from myukm.domain.chat.ukm import refuse_archived
from myukm.domain.chat.ukm_desk import Officer, take
from myukm.domain.chat.ukm_office import checked, new_join_code
from myukm.models import Membership, Ukm


def edit(officer: Officer, code: str, name: str, description: str) -> Ukm:
    """Give a unit another name and description.

    Raises `NotFound`, `Forbidden`, `Invalid`, and `Conflict` in an archived unit.
    """
    name, description = checked(name, description)
    with write():
        unit = take(officer, code)
        refuse_archived(unit)
        if unit.name != name:
            ukm_log.note(unit.id, officer.user_id, "renamed", detail=name)
            _audit(officer, "ukm.rename", unit, name)
        if unit.description != description:
            ukm_log.note(unit.id, officer.user_id, "described")
        if (unit.name, unit.description) != (name, description):
            unit.name, unit.description = name, description
            ukm_state.tell_changed(unit)
    return unit


def renew_join_code(officer: Officer, code: str) -> Ukm:
    """Give a unit a new join code; the old one lets nobody in from now on.

    Raises `NotFound`, `Forbidden`.
    """
    with write():
        unit = take(officer, code)
        unit.join_code = new_join_code()
        ukm_log.note(unit.id, officer.user_id, "code_renewed")
        _audit(officer, "ukm.code", unit)
    return unit


def archive(officer: Officer, code: str) -> Ukm:
    """Make a unit one that can only be read; it leaves the lists. Again does nothing.

    Raises `NotFound`, `Forbidden`.
    """
    with write():
        unit = take(officer, code)
        if unit.archived_at is None:
            unit.archived_at = utcnow()
            _note_archive(officer, unit, "archived")
    _count_as_read(unit.id)
    return unit


def _count_as_read(ukm_id: int) -> None:
    """Nobody shall go after unread messages of a unit that their list no longer shows.

    A transaction of its own: it locks memberships, which must not happen behind the unit's lock.
    """
    last = select(Ukm.last_number).where(Ukm.id == ukm_id).scalar_subquery()
    with write() as session:
        session.execute(
            update(Membership)
            .where(Membership.ukm_id == ukm_id)
            .values(read_number=last)
            .execution_options(synchronize_session=False)
        )
    unread.tell(ukm_id)


def restore(officer: Officer, code: str) -> Ukm:
    """Put an archived unit into use again; again does nothing. Raises `NotFound`, `Forbidden`."""
    with write():
        unit = take(officer, code)
        if unit.archived_at:
            unit.archived_at = None
            _note_archive(officer, unit, "restored")
    return unit


def _note_archive(officer: Officer, unit: Ukm, change: str) -> None:
    ukm_log.note(unit.id, officer.user_id, change)
    _audit(officer, f"ukm.{change}", unit, unit.name)
    ukm_state.tell_changed(unit)


def _audit(officer: Officer, action: str, unit: Ukm, more: str = "") -> None:
    audit.note(officer.name, action, f"{unit.code} {more}".strip())
