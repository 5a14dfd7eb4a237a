"""Export of a user's data: a JSON document, in an archive with their files if there are any."""

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

from sqlalchemy import select

from myukm.db.types import to_iso8601, utcnow
from myukm.domain import archives
from myukm.domain.accounts import file_export, own_activity
from myukm.domain.siswa import directory
from myukm.extensions import db
from myukm.models import (
    Export,
    JoinRequest,
    LoginSession,
    Membership,
    Photo,
    PushPreference,
    PushSubscription,
    Siswa,
    Ukm,
    UkmBlock,
    UkmPin,
    User,
)

NAME = "myukm-data"


def export(user_id: int, files: Iterable[str] = ()) -> Iterator[str]:
    """Yield the JSON document in pieces; `files` are its entries of files, each as JSON. No
    transaction stays open between them, because the download may be slow."""
    parts = {
        "account": _account,
        "student": _student,
        "memberships": _memberships,
        "join_requests": _join_requests,
        "blocks": _blocks,
        "pins": _pins,
        "logins": _logins,
        "notifications": _notifications,
        "exports": _exports,
    }
    for key, part in parts.items():
        found = _json(part(user_id))
        db.session.rollback()
        yield f'{"{" if key == "account" else ","}"{key}":{found}'
    for key, portion in own_activity.LISTS.items():
        yield f',"{key}":['
        yield from _list(user_id, portion)
        yield "]"
    yield f',"files":[{",".join(files)}]}}\n'


def archive(user_id: int) -> Iterator[bytes]:
    """Yield a ZIP archive of the user's files and the document, a block of a file at a time. The
    document comes last, so that it lists the files that are written, also if some were uploaded or
    deleted meanwhile."""
    out, files = archives.Outgoing(), []
    with ZipFile(out, "w") as zipped:
        for file, code in file_export.files(user_id):
            for _block in archives.write_stored(zipped, file):
                yield out.take()
            if file.path in zipped.NameToInfo:
                files.append(_json(file_export.as_json(file, code)))
        with zipped.open(archives.entry(f"{NAME}.json", utcnow()), "w") as document:
            for piece in export(user_id, files):
                document.write(piece.encode())
                yield out.take()
    yield out.take()


def _list(user_id: int, portion: own_activity.Portion) -> Iterator[str]:
    """Yield a list of any length in batches, oldest first."""
    last, separator = None, ""
    while batch := _read(portion, user_id, last):
        yield separator + ",".join(_json(entry) for _place, entry in batch)
        last, separator = batch[-1][0], ","


def _read(portion: own_activity.Portion, user_id: int, last: Any) -> Any:
    batch = portion(user_id, last)
    db.session.rollback()
    return batch


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _account(user_id: int) -> dict[str, Any]:
    user, photo = db.session.get_one(User, user_id), db.session.get(Photo, user_id)
    return {
        "user_id": user.id,
        "nim": user.nim,
        "name": user.name,
        "role": user.role,
        "created_at": to_iso8601(user.created_at),
        "last_seen_at": to_iso8601(user.last_seen_at),
        "attacked_at": to_iso8601(user.attacked_at),  # when the password was guessed at
        "photo_webp_base64": b64encode(photo.large).decode() if photo else None,
    }


def _student(user_id: int) -> dict[str, Any] | None:
    """Return the linked student with the payments, None without a link."""
    own = select(Siswa, User.linked_by, User.linked_at).join(User, User.idperson == Siswa.idperson)
    found = db.session.execute(own.where(User.id == user_id)).one_or_none()
    if found is None:
        return None
    student, linked_by, linked_at = found
    link = {"linked_by": linked_by, "linked_at": to_iso8601(linked_at)}
    return {**directory.as_json(student), **link, "pembayaran": student.pembayaran}


def _memberships(user_id: int) -> list[dict[str, Any]]:
    query = (
        select(
            Ukm.code.label("ukm"),
            Ukm.name,
            Membership.is_admin,
            Membership.muted_until,
            Membership.joined_at,
            Membership.read_at,
            Membership.notices,
            Membership.push_all,
        )
        .join_from(Membership, Ukm)
        .where(Membership.user_id == user_id)
        .order_by(Ukm.code)
    )
    return [_with_iso_times(row._asdict()) for row in db.session.execute(query)]


def _join_requests(user_id: int) -> list[dict[str, Any]]:
    """Return the user's requests to join a UKM, and when they were refused."""
    query = (
        select(Ukm.code.label("ukm"), JoinRequest.at, JoinRequest.refused_at)
        .join_from(JoinRequest, Ukm)
        .where(JoinRequest.user_id == user_id)
        .order_by(Ukm.code)
    )
    return [_with_iso_times(row._asdict()) for row in db.session.execute(query)]


def _with_iso_times(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with its times in ISO 8601."""
    return {name: to_iso8601(at) if isinstance(at, datetime) else at for name, at in row.items()}


def _blocks(user_id: int) -> list[dict[str, Any]]:
    """Return the UKMs that block the user."""
    query = (
        select(Ukm.code, UkmBlock.at)
        .join_from(UkmBlock, Ukm, Ukm.id == UkmBlock.ukm_id)
        .where(UkmBlock.user_id == user_id)
        .order_by(Ukm.code)
    )
    return [{"ukm": code, "at": to_iso8601(at)} for code, at in db.session.execute(query)]


def _pins(user_id: int) -> list[dict[str, Any]]:
    """Return what the user pinned: a message or a separate text."""
    query = (
        select(Ukm.code, UkmPin)
        .join_from(UkmPin, Ukm, Ukm.id == UkmPin.ukm_id)
        .where(UkmPin.by_id == user_id)
        .order_by(Ukm.code)
    )
    return [
        {"ukm": code, "message_id": pin.message_id, "text": pin.text, "at": to_iso8601(pin.at)}
        for code, pin in db.session.execute(query)
    ]


def _logins(user_id: int) -> list[dict[str, Any]]:
    query = (
        select(LoginSession.created_at, LoginSession.seen_at)
        .where(LoginSession.user_id == user_id)
        .order_by(LoginSession.created_at)
    )
    return [
        {"at": to_iso8601(at), "seen_at": to_iso8601(seen)}
        for at, seen in db.session.execute(query)
    ]


def _notifications(user_id: int) -> dict[str, Any]:
    """Return the user's preferences, and for each subscribed browser its push service and the time
    of the subscription."""
    chosen = db.session.get(PushPreference, user_id)
    columns = (PushSubscription.endpoint, PushSubscription.created_at)
    query = (
        select(*columns)
        .join(LoginSession, LoginSession.token_hash == PushSubscription.login)
        .where(LoginSession.user_id == user_id)
        .order_by(PushSubscription.created_at)
    )
    return {
        "show_text": chosen is None or chosen.show_text,
        "announcements": chosen is None or chosen.announcements,
        "staff": chosen is None or chosen.staff,
        "quiet_minutes": [chosen.quiet_from, chosen.quiet_until] if chosen else [None, None],
        "browsers": [
            {"service": urlsplit(endpoint).hostname, "since": to_iso8601(since)}
            for endpoint, since in db.session.execute(query)
        ],
    }


def _exports(user_id: int) -> list[dict[str, Any]]:
    """Return the user's requests for exported files, with the filters as a URL's query string."""
    query = (
        select(Export.kind, Export.query, Export.created_at)
        .where(Export.user_id == user_id)
        .order_by(Export.id)
    )
    return [
        {"kind": kind, "query": filters, "at": to_iso8601(at)}
        for kind, filters, at in db.session.execute(query)
    ]
