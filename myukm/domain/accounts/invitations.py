"""Invitations: a one-time code lets a NIM register."""

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from myukm.db.session import execute_rowcount, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts
from myukm.domain.accounts.account_rules import check_password, checked_person, normal_nim
from myukm.domain.accounts.codes import digest, matches, new_code, wrong_code
from myukm.domain.accounts.passwords import hash_password
from myukm.domain.actor import Actor
from myukm.domain.paging import Page, paginate
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.models import Invitation, User
from myukm.models.name_search import name_matches


def invite(actor: Actor, nim: str, name: str, role: str) -> str:
    """Invite a NIM for 30 days and return its one-time code, which cannot be shown again.

    Voids an earlier code of that NIM. Raises `Invalid`, or `Conflict` if the NIM has an account or
    another admin is inviting it at this moment.
    """
    nim, name = checked_person(nim, name, role)
    code = new_code()
    invitation = Invitation(nim=nim, name=name, role=role, code_hash=digest(code))
    try:
        with transaction() as session:
            if session.scalar(select(User.id).where(User.nim == nim)):
                raise accounts.nim_taken(nim)
            session.execute(delete(Invitation).where(Invitation.nim == nim))
            session.add(invitation)
            activity.record(actor, "user.invite", f"{nim} {name}")
    except IntegrityError:
        text = _("NIM %(nim)s baru saja diundang oleh admin lain.", nim=nim)
        raise Conflict(text, code="just_invited") from None
    return code


def search_open(q: str = "") -> Page[Invitation]:
    """Return the first page of the invitations that nobody has used yet and that match `q`
    (`name_matches`), newest first."""
    query = select(Invitation).where(Invitation.is_valid(utcnow()))
    query = query.where(*name_matches(q, Invitation.name, Invitation.nim))
    return paginate(query.order_by(Invitation.id.desc()), 1)


def renew(actor: Actor, invitation_id: int) -> tuple[Invitation, str]:
    """Invite the same person again; return the earlier invitation and the new code.

    Raises `NotFound`, `Conflict`.
    """
    earlier = _find(invitation_id)
    return earlier, invite(actor, earlier.nim, earlier.name, earlier.role)


def withdraw(actor: Actor, invitation_id: int) -> Invitation:
    """Delete an invitation, whose code is void from now on. Raises `NotFound`."""
    with transaction() as session:
        gone = _find(invitation_id, lock=True)
        session.execute(delete(Invitation).where(Invitation.id == gone.id))
        activity.record(actor, "user.uninvite", f"{gone.nim} {gone.name}")
    return gone


def _find(invitation_id: int, *, lock: bool = False) -> Invitation:
    """Return an invitation that is not used yet; it may have expired. `lock`: wait for a concurrent
    registration that uses it."""
    found = db.session.get(Invitation, invitation_id, with_for_update=lock)
    if found is None:
        text = _("Undangan ini sudah dipakai atau ditarik.")
        raise NotFound(text, code="no_such_invitation")
    return found


def register(nim: str, code: str, password: str) -> User:
    """Create the invited account. Raises `Forbidden` for a wrong code, `Invalid` for the password.

    Of two concurrent calls the one that deletes the invitation succeeds.
    """
    invitation = _find_by_code(normal_nim(nim), code)
    check_password(password, invitation.nim, invitation.name)
    user = User(
        nim=invitation.nim,
        name=invitation.name,
        role=invitation.role,
        password_hash=hash_password(password),
    )
    with transaction() as session:
        if not execute_rowcount(session, delete(Invitation).where(Invitation.id == invitation.id)):
            raise wrong_code()
        accounts.insert(user, by=None, is_vouched=True)
    return user


def _find_by_code(nim: str, code: str) -> Invitation:
    """Return the invitation of this NIM with this code. Raises `Forbidden`."""
    query = select(Invitation).where(Invitation.nim == nim, Invitation.is_valid(utcnow()))
    found = db.session.scalar(query) if nim.isprintable() else None
    if found is None or not matches(found.code_hash, code):
        raise wrong_code()
    return found
