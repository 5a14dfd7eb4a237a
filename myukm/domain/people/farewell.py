"""Deleting one's own account: the messages stay, nothing says any more whose they were."""

import json
from collections.abc import Sequence

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from myukm.database import utcnow, write
from myukm.domain import audit
from myukm.domain.chat import presence
from myukm.domain.people import accounts, looks, own_account, people
from myukm.errors import Conflict
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
    User,
)

OWNED = (LoginSession, PasswordReset, Photo, Membership, UkmBlock)


def delete_account(user: User, password: str) -> None:
    """Delete one's own account: the row stays, empty, behind its messages; the NIM is free.

    Raises `Forbidden` for a wrong password, `Conflict` for the last admin.
    """
    own_account.confirm(user, password)
    with write() as session:
        admins = people.lock_admins()
        leaving = session.get_one(User, user.id, with_for_update=True, populate_existing=True)
        _refuse(leaving, admins)
        codes, left = looks.places(leaving.id), _memberships(session, leaving.id)
        audit.note(leaving.name, audit.DELETION, f"{leaving.nim} {leaving.name}")
        _forget_name_in_events(session, leaving, codes)
        for table in OWNED:
            session.execute(delete(table).where(table.user_id == leaving.id))
        _empty(leaving)
        looks.tell(leaving, codes)
    accounts.rights_changed()
    for ukm in left:
        presence.tell_member(ukm, user.id, gone=True)


def _refuse(leaving: User, admins: set[int]) -> None:
    if leaving.deleted_at:
        raise Conflict(_("Akun ini sudah dihapus."), code="account_deleted")
    people.refuse_last_admin(leaving, admins)


def _memberships(session: Session, user_id: int) -> Sequence[Ukm]:
    mine = select(Membership.ukm_id).where(Membership.user_id == user_id)
    return session.scalars(select(Ukm).where(Ukm.id.in_(mine))).all()


def _empty(user: User) -> None:
    """Leave nothing of the person in the row; its NIM is one that nobody can have."""
    user.nim, user.name, user.role = f"deleted {user.id}", _new_name(), Role.ANGGOTA
    user.password_hash, user.photo_hash, user.last_seen_at = "", None, None
    user.deleted_at = user.blocked_at = utcnow()


def _new_name() -> str:
    with campus_language():
        return str(gettext("Pengguna terhapus"))


def _forget_name_in_events(session: Session, user: User, codes: Sequence[str]) -> None:
    """Events that streams may still ask for again carry the name, too."""
    old, new = (
        f'"user_id":{user.id},"name":{json.dumps(name, ensure_ascii=False)}'
        for name in (user.name, _new_name())
    )
    said = update(Event).where(
        Event.topic.in_([f"ukm:{code}" for code in codes]),
        Event.data.contains(old, autoescape=True),
    )
    session.execute(
        said.values(data=func.replace(Event.data, old, new)),
        execution_options={"synchronize_session": False},
    )
