"""The files of messages: attach them to a new message, read them, delete them."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm.attributes import set_committed_value

from myukm.db.session import execute_rowcount, in_literals, on_commit, transaction
from myukm.db.types import is_id
from myukm.domain.files import cleanup
from myukm.errors import Invalid, NotFound
from myukm.extensions import db
from myukm.models import ChatFile, ChatMessage, Membership

MAX_FILES = 10


def unsent(membership: Membership, ids: Sequence[int]) -> list[ChatFile]:
    """Return the member's unsent files with these ids, in this order.

    Raises `Invalid` for more than `MAX_FILES`, for a repeated id, or for a file that is not the
    member's own, was sent before, or was deleted.
    """
    if not ids:
        return []
    if len(ids) > MAX_FILES:
        raise Invalid(_("Paling banyak 10 berkas dalam satu pesan."), code="too_many_files")
    query = select(ChatFile).where(
        ChatFile.id.in_([each for each in ids if is_id(each)]),
        ChatFile.ukm_id == membership.ukm_id,
        ChatFile.user_id == membership.user_id,
        ChatFile.message_id.is_(None),
        ChatFile.stored_at.is_not(None),
    )
    found = {file.id: file for file in db.session.scalars(query)}
    if len(found) != len(ids):
        raise Invalid(_("Berkas ini tidak ada lagi. Unggah sekali lagi."), code="no_such_file")
    return [found[each] for each in ids]


def attach(files: Sequence[ChatFile], message_id: int) -> bool:
    """Attach files to a new message, inside `transaction()`; return whether all were still
    unsent."""
    session = db.session()
    return all(
        execute_rowcount(
            session,
            update(ChatFile)
            .where(ChatFile.id == file.id, ChatFile.message_id.is_(None))
            .values(message_id=message_id, position=position),
        )
        for position, file in enumerate(files)
    )


def load(messages: Collection[ChatMessage]) -> None:
    """Load the files of all these messages by one query; without a query if there are no files."""
    ids = [message.id for message in messages if message.file_count]
    if not ids:
        return
    found = defaultdict[int | None, list[ChatFile]](list)
    for file in db.session.scalars(_ORDERED.where(in_literals(ChatFile.message_id, ids))):
        found[file.message_id].append(file)
    for message in messages:
        if message.file_count:
            set_committed_value(message, "files", found[message.id])


_ORDERED = (
    select(ChatFile)
    .order_by(ChatFile.message_id, ChatFile.position)
    .execution_options(populate_existing=True)
)
_ONE = select(ChatFile).where(
    ChatFile.id == bindparam("file"),
    ChatFile.ukm_id == bindparam("ukm"),
    ChatFile.stored_at.is_not(None),
)


def find(membership: Membership, file_id: int) -> ChatFile:
    """Return a sent file of the UKM, or an unsent file of the member. Raises `NotFound`."""
    file = db.session.scalar(_ONE, {"file": file_id, "ukm": membership.ukm_id})
    if file is None or (file.message_id is None and file.user_id != membership.user_id):
        raise NotFound(_("Berkas ini tidak ada lagi."), code="no_such_file")
    return file


def discard_unsent(membership: Membership, file_id: int) -> None:
    """Delete an uploaded file that its owner does not want to send. Raises `NotFound`."""
    file = find(membership, file_id)
    with transaction() as session:
        mine = (ChatFile.id == file.id, ChatFile.user_id == membership.user_id)
        gone = delete(ChatFile).where(*mine, ChatFile.message_id.is_(None))
        if not execute_rowcount(session, gone):
            raise NotFound(_("Berkas ini tidak ada lagi."), code="no_such_file")
        on_commit(cleanup.discard, cleanup.digests_of([file]))


def remove_for(message: ChatMessage) -> None:
    """Delete the files of an erased message, inside `transaction()`."""
    if not message.file_count:
        return
    files = db.session.scalars(_ORDERED.where(ChatFile.message_id == message.id)).all()
    db.session.execute(delete(ChatFile).where(ChatFile.message_id == message.id))
    message.file_count = 0
    on_commit(cleanup.discard, cleanup.digests_of(files))


def discard_all_of(user_id: int) -> None:
    """Delete all files that a person uploaded, sent or not, inside `transaction()`."""
    files = db.session.scalars(select(ChatFile).where(ChatFile.user_id == user_id)).all()
    db.session.execute(delete(ChatFile).where(ChatFile.user_id == user_id))
    on_commit(cleanup.discard, cleanup.digests_of(files))
