"""Requests to join a listed UKM: a person asks, an admin of the UKM accepts or refuses."""

from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session, joinedload

from myukm.db.session import execute_rowcount, on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.accounts import accounts
from myukm.domain.actor import Actor
from myukm.domain.flood import count_act
from myukm.domain.paging import Page, paginate
from myukm.domain.ukm import memberships, open_requests
from myukm.domain.ukm.authorization import authorize_and_lock
from myukm.domain.ukm.open_requests import is_open
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.live import pubsub
from myukm.live.topics import personal_topic
from myukm.models import JoinRequest, Ukm, User

MAX_OPEN, AGAIN_AFTER = 5, timedelta(days=7)


def ask(user_id: int, code: str) -> Ukm:
    """Request to join a listed UKM. Idempotent while the request is open.

    Raises `NotFound`, `Forbidden` if blocked, `TooFast`, or `Conflict`: already a member, refused
    less than `AGAIN_AFTER` ago, or the person has `MAX_OPEN` open requests.
    """
    with transaction() as session:
        ukm = _lock(code, Ukm.is_listed & memberships.is_archived(False))
        memberships.check_not_blocked(session, ukm.id, user_id)
        if memberships.is_member(user_id, ukm.id):
            raise memberships.already_member()
        count_act(user_id)
        before = session.get(JoinRequest, (user_id, ukm.id), populate_existing=True)
        if before is None or before.refused_at:
            _check_may_ask(user_id, before)
            session.merge(JoinRequest(user_id=user_id, ukm_id=ukm.id, at=utcnow(), refused_at=None))
            name = session.get_one(User, user_id).name
            on_commit(open_requests.publish, ukm, name)
    return ukm


def _lock(code: str, condition: ColumnElement[bool]) -> Ukm:
    query = select(Ukm).where(Ukm.code == code, condition).with_for_update(key_share=True)
    known = memberships.CODE.fullmatch(code)
    found = db.session.scalar(query.execution_options(populate_existing=True)) if known else None
    if found is None:
        raise NotFound(_("UKM ini tidak ada."), code="no_such_ukm")
    return found


def _check_may_ask(user_id: int, before: JoinRequest | None) -> None:
    if before and again_at(before.refused_at) is not None:
        text = _(
            "Permintaan Anda belum lama ini ditolak. Tunggu beberapa hari sebelum meminta lagi."
        )
        raise Conflict(text, code="refused")
    mine = select(func.count()).where(
        JoinRequest.user_id == user_id, JoinRequest.refused_at.is_(None)
    )
    if (db.session.scalar(mine) or 0) >= MAX_OPEN:
        text = _("Paling banyak 5 permintaan menunggu sekaligus. Tarik dulu salah satunya.")
        raise Conflict(text, code="too_many_requests")


def again_at(refused_at: datetime | None) -> datetime | None:
    """Return when a refused person may ask again, None if they may now."""
    until = refused_at + AGAIN_AFTER if refused_at else None
    return until if until and until > utcnow() else None


def withdraw(user_id: int, code: str) -> None:
    """Withdraw the person's own request. Raises `NotFound` if there is no open one."""
    with transaction() as session:
        mine = (JoinRequest.user_id == user_id, JoinRequest.refused_at.is_(None))
        try:
            ukm = _lock(code, Ukm.id.in_(select(JoinRequest.ukm_id).where(*mine)))
        except NotFound:
            raise _no_such_request() from None
        count_act(user_id)
        gone = delete(JoinRequest).where(*mine, JoinRequest.ukm_id == ukm.id)
        # A condition again, because an admin may have decided while this call waited for the lock.
        if not execute_rowcount(session, gone):
            raise _no_such_request()
        on_commit(open_requests.publish, ukm)


def accept(actor: Actor, code: str, user_id: int) -> User:
    """Accept a request: the person becomes a member.

    Raises `NotFound` if the request is not open any more, `Forbidden`, or `Conflict` for an
    archived UKM.
    """
    with transaction() as session:
        ukm = authorize_and_lock(actor, code)
        memberships.check_not_archived(ukm)
        user = _open(session, ukm, user_id).user
        memberships.add_member(session, ukm.id, user_id, by=actor.user_id, change="accepted")
    return user


def refuse(actor: Actor, code: str, user_id: int) -> User:
    """Refuse a request; the person can ask again after `AGAIN_AFTER`.

    Raises `NotFound`, `Forbidden`.
    """
    with transaction() as session:
        ukm = authorize_and_lock(actor, code)
        request = _open(session, ukm, user_id)
        request.refused_at = utcnow()
        activity.record_in_ukm(ukm.id, actor.user_id, "refused", person_id=user_id)
        on_commit(open_requests.publish, ukm)
        on_commit(_publish_refused, user_id, ukm.code)
    return request.user


def _open(session: Session, ukm: Ukm, user_id: int) -> JoinRequest:
    """Return an open request to the locked UKM. Locks the account, because it may be deleted
    meanwhile."""
    accounts.lock(session, user_id)
    query = select(JoinRequest).join(JoinRequest.user).where(is_open())
    mine = query.where(JoinRequest.ukm_id == ukm.id, JoinRequest.user_id == user_id)
    request = session.scalar(mine.execution_options(populate_existing=True))
    if request is None:
        raise _no_such_request()
    return request


def _no_such_request() -> NotFound:
    return NotFound(
        _("Permintaan ini tidak menunggu lagi: sudah diputuskan atau ditarik."),
        code="no_such_request",
    )


def _publish_refused(user_id: int, code: str) -> None:
    """Publish the refusal to the person's open pages; not logged, because a page that loads reads
    it from the database."""
    pubsub.publish_transient(personal_topic(user_id), "ukm.refused", {"ukm": code})


def waiting(ukm_id: int, page: int = 1) -> Page[JoinRequest]:
    """Return a page of a UKM's open requests with the accounts, oldest first."""
    query = (
        select(JoinRequest)
        .join(JoinRequest.user)
        .options(joinedload(JoinRequest.user))
        .where(JoinRequest.ukm_id == ukm_id, is_open())
        .order_by(JoinRequest.at, JoinRequest.user_id)
    )
    return paginate(query, page)
