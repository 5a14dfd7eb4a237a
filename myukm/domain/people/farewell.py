"""Deleting one's own account: the messages stay, nothing says any more whose they were."""

import json
from collections.abc import Sequence
from contextlib import suppress

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from myukm.database import utcnow, write
from myukm.domain import audit
from myukm.domain.chat import presence, ukm, ukm_log, ukm_state
from myukm.domain.people import accounts, looks, own_account, people
from myukm.errors import Conflict, NotFound
from myukm.i18n import campus_language
from myukm.live.log import Event
from myukm.models import (
    LoginSession,
    Membership,
    PasswordReset,
    Photo,
    Role,
    Ukm,
    UkmBlock,
    UkmPin,
    User,
)

OWNED = (LoginSession, PasswordReset, Photo, Membership, UkmBlock)


def delete_account(user: User, password: str) -> None:
    """Delete one's own account: the row stays, empty, behind its messages; the NIM is free.

    Raises `Forbidden` for a wrong password, `Conflict` for the last admin of the campus or of a
    unit of others.
    """
    own_account.confirm(user, password)
    confirmed = user.password_hash
    with write() as session:
        left = _lock_memberships(session, user.id)
        leaving = _lock(session, user.id)
        if leaving.password_hash != confirmed:
            raise own_account.wrong_password()
        for place in left:
            if not place.ukm.archived_at:
                ukm.refuse_last_admin(place)
        codes = looks.places(leaving.id)
        audit.note(leaving.name, audit.DELETION, f"{leaving.nim} {leaving.name}")
        _forget_name_in_events(session, leaving, codes)
        _delete_owned(session, leaving.id)
        _empty(leaving)
        _tell(session, leaving, codes, left)
    accounts.rights_changed()
    for place in left:
        presence.tell_member(place.ukm, user.id, gone=True)


def _lock(session: Session, user_id: int) -> User:
    """Return the account, locked after its units: who posts holds a unit and asks for both."""
    admins = people.lock_admins()
    leaving = session.get_one(
        User, user_id, with_for_update={"key_share": True}, populate_existing=True
    )
    if leaving.deleted_at:
        raise Conflict(_("Akun ini sudah dihapus."), code="account_deleted")
    people.refuse_last_admin(leaving, admins)
    return leaving


def _lock_memberships(session: Session, user_id: int) -> list[Membership]:
    """Return the memberships, each locked with its unit by the statement that posting uses."""
    query = select(Ukm.code).join(Membership).where(Membership.user_id == user_id)
    places = []
    for code in session.scalars(query.order_by(Ukm.code)).all():
        with suppress(NotFound):  # put out of the unit a moment ago
            places.append(ukm.membership(user_id, code, lock=True))
    return places


def _delete_owned(session: Session, user_id: int) -> None:
    for table in OWNED:
        mine = delete(table).where(table.user_id == user_id)
        session.execute(mine, execution_options={"synchronize_session": False})


def _empty(user: User) -> None:
    """Leave nothing of the person in the row; its NIM is one that nobody can have."""
    user.nim, user.name, user.role = f"deleted {user.id}", _new_name(), Role.ANGGOTA
    user.password_hash, user.photo_hash, user.last_seen_at = "", None, None
    user.attacked_at = None
    user.deleted_at = user.blocked_at = utcnow()


def _tell(session: Session, user: User, codes: Sequence[str], left: Sequence[Membership]) -> None:
    """Tell the units: who left, under which name the messages stand, whose the pin is."""
    for place in left:
        ukm_log.note(place.ukm_id, user.id, "left", person_id=user.id)
        ukm_state.tell_membership(place.ukm, place, "left", member=False)
    looks.tell(user, codes)
    pinned = select(UkmPin.ukm_id).where(UkmPin.by_id == user.id)
    for unit in session.scalars(select(Ukm).where(Ukm.id.in_(pinned))):
        ukm_state.tell_changed(unit)


def _new_name() -> str:
    with campus_language():
        return str(gettext("Pengguna terhapus"))


def _forget_name_in_events(session: Session, user: User, codes: Sequence[str]) -> None:
    """Events that streams may still ask for again carry the name, too."""
    topics = [f"ukm:{code}" for code in codes]
    old, new = (json.dumps(name, ensure_ascii=False) for name in (user.name, _new_name()))
    for before in (f'"user_id":{user.id},"name":', '"by":'):
        said = update(Event).where(
            Event.topic.in_(topics), Event.data.contains(before + old, autoescape=True)
        )
        session.execute(
            said.values(data=func.replace(Event.data, before + old, before + new)),
            execution_options={"synchronize_session": False},
        )
