"""Writes the entries of a UKM's archive: files, pages of messages, the list of members."""

from collections.abc import Iterable
from zipfile import ZipFile

import msgspec
from sqlalchemy import select

from myukm.db.session import release_connection
from myukm.db.types import to_iso8601, utcnow
from myukm.domain import archives
from myukm.domain.chat.history import SHOWN
from myukm.domain.csv_output import to_csv
from myukm.domain.exports import archive_pages
from myukm.domain.exports.archive_pages import Message, Page
from myukm.domain.files import attachments
from myukm.extensions import db
from myukm.models import ChatFile, ChatMessage, Membership, Ukm, User

PER_PAGE = 1000  # messages
IS_SENT = ChatFile.message_id.is_not(None) & ChatFile.stored_at.is_not(None)
MEMBER_COLUMNS = ("nim", "name", "is_admin", "joined_at")


def write_file(archive: ZipFile, ukm: Ukm, after: int, until: int) -> int | None:
    """Write the UKM's next file after the id `after` that was sent with a message up to the id
    `until`; return its id, None if there is none."""
    sent = (IS_SENT, ChatFile.message_id <= until)
    query = select(ChatFile).where(ChatFile.ukm_id == ukm.id, ChatFile.id > after, *sent)
    file = db.session.scalar(query.order_by(ChatFile.id).limit(1))
    release_connection()
    if file is None:
        return None
    for _block in archives.write_stored(archive, file):  # writes a block per step
        pass
    return file.id


def write_messages(archive: ZipFile, ukm: Ukm, after: int, until: int, number: int) -> Page | None:
    """Write page `number`, the messages after the id `after` up to the id `until`, as HTML and as
    JSON.

    Returns None if there are no such messages.
    """
    these = (ChatMessage.id > after, ChatMessage.id <= until, ChatMessage.deleted_at.is_(None))
    query = select(ChatMessage).options(*SHOWN).where(ChatMessage.ukm_id == ukm.id, *these)
    rows = db.session.scalars(query.order_by(ChatMessage.id).limit(PER_PAGE + 1)).all()
    if not (found := rows[:PER_PAGE]):
        return None
    attachments.load(found)
    written = archive.NameToInfo
    messages = [Message(row, [f for f in row.files if f.path in written]) for row in found]
    html = archive_pages.messages(ukm.name, messages, number, is_last=len(rows) <= PER_PAGE)
    _write(archive, f"{archive_pages.path(number)}.html", html)
    _write(archive, f"{archive_pages.path(number)}.json", msgspec.json.encode(_as_json(messages)))
    return Page(found[0].created_at, found[-1].created_at, len(found), found[-1].id)


def _as_json(messages: Iterable[Message]) -> list[dict[str, object]]:
    return [
        {
            "id": row.id,
            "user_id": row.user_id,
            "name": row.user.name,
            "message": row.body,
            "created_at": to_iso8601(row.created_at),
            "edited_at": to_iso8601(row.edited_at),
            "reply_to": row.reply_to_id,
            "files": [file.path for file in files],
        }
        for row, files in messages
    ]


def write_rest(archive: ZipFile, ukm: Ukm, pages: list[Page]) -> None:
    """Write the list of members, the style sheet and the start page."""
    columns = (User.nim, User.name, Membership.is_admin, Membership.joined_at)
    query = select(*columns).join(User).where(Membership.ukm_id == ukm.id).order_by(User.nim)
    people = db.session.execute(query).all()
    rows = ((nim, name, str(admin).lower(), to_iso8601(at)) for nim, name, admin, at in people)
    _write(archive, "members.csv", "".join(to_csv(MEMBER_COLUMNS, rows)))
    _write(archive, "style.css", archive_pages.STYLE)
    _write(archive, "index.html", archive_pages.index(ukm, len(people), pages))


def _write(archive: ZipFile, path: str, text: str | bytes) -> None:
    archive.writestr(archives.entry(path, utcnow()), text)
