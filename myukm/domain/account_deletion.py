"""Deletion of a user's own account. The user's messages stay, anonymized."""

from collections.abc import Sequence
from contextlib import suppress

from flask_babel import gettext
from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts, administration, profile_events, self_service
from myukm.domain.actor import Actor
from myukm.domain.chat import uploads
from myukm.domain.exports import requests as exports
from myukm.domain.ukm import memberships, open_requests
from myukm.domain.ukm import state as ukm_state
from myukm.errors import Conflict, NotFound
from myukm.i18n import campus_language
from myukm.models import (
    Export,
    JoinRequest,
    Membership,
    PasswordReset,
    Photo,
    PushPreference,
    Role,
    Ukm,
    UkmBlock,
    UkmPin,
    User,
)

OWNED_TABLES = (PasswordReset, Photo, Membership, UkmBlock, JoinRequest, PushPreference)


def delete_account(user: User, password: str) -> None:
    """Delete the user's own account with its files. Its row stays, anonymized, because messages
    refer to it. The NIM can be registered again.

    Raises `Forbidden` for a wrong password, `Conflict` for the last admin of the campus or of a UKM
    with other members.
    """
    self_service.require_password(user, password)
    confirmed = user.password_hash
    with transaction() as session:
        own_memberships = _lock_memberships(session, user.id)
        account = _lock_account(session, user.id)
        if account.password_hash != confirmed:
            raise self_service.wrong_password()
        for membership in own_memberships:
            if not membership.ukm.archived_at:
                memberships.check_not_last_admin(membership)
        codes = profile_events.ukm_codes(account.id)
        activity.record(Actor.of(account), activity.DELETION, f"{account.nim} {account.name}")
        _anonymize(account)
        _leave_ukms(session, account, codes, own_memberships)
        open_requests.publish_all_of(session, account.id)
        accounts.end_sessions(account.id)
        uploads.remove_all_of(account.id)
        exports.discard(Export.user_id == account.id)
        _delete_owned(session, account.id)


def _lock_account(session: Session, user_id: int) -> User:
    """Lock and return the account. Call it after `_lock_memberships`, because posting a message
    locks the UKM before the account, and another order could deadlock."""
    admins = administration.lock_admins()
    account = accounts.lock(session, user_id)
    if account is None or account.deleted_at:
        raise Conflict(_("Akun ini sudah dihapus."), code="account_deleted")
    administration.check_not_last_admin(account, admins)
    return account


def _lock_memberships(session: Session, user_id: int) -> list[Membership]:
    """Lock and return the memberships. One statement locks a membership and its UKM, as posting a
    message does."""
    query = select(Ukm.code).join(Membership).where(Membership.user_id == user_id)
    locked = []
    for code in session.scalars(query.order_by(Ukm.code)).all():
        with suppress(NotFound):  # removed from the UKM in the meantime
            locked.append(memberships.get_membership(user_id, code, lock=True))
    return locked


def _delete_owned(session: Session, user_id: int) -> None:
    for table in OWNED_TABLES:
        statement = delete(table).where(table.user_id == user_id)
        session.execute(statement, execution_options={"synchronize_session": False})


def _anonymize(user: User) -> None:
    """Anonymize the row. Nobody can register its new NIM, because that contains a blank."""
    user.nim, user.name, user.role = f"deleted {user.id}", _new_name(), Role.ANGGOTA
    user.password_hash, user.photo_hash, user.last_seen_at = "", None, None
    user.attacked_at = user.idperson = user.linked_by = user.linked_at = None
    user.deleted_at = user.blocked_at = utcnow()


def _leave_ukms(
    session: Session, user: User, codes: Sequence[str], own_memberships: Sequence[Membership]
) -> None:
    """Delete the memberships; publish the user's new name, and the announcements that the user
    pinned."""
    for membership in own_memberships:
        memberships.remove(session, membership, "left", by=user.id)
    profile_events.publish(user, codes)
    pinned = select(UkmPin.ukm_id).where(UkmPin.by_id == user.id)
    for ukm in session.scalars(select(Ukm).where(Ukm.id.in_(pinned))):
        ukm_state.publish_changed(ukm)


def _new_name() -> str:
    with campus_language():
        return str(gettext("Pengguna terhapus"))
