"""All of a UKM as a ZIP archive: files, messages, members, and pages to read them without MyUKM.

A job writes for a few seconds and enqueues another job to continue, so that other jobs of the queue
do not wait for a large archive. In between the stored ZIP is valid, and `Place` says where to
continue.
Memory holds one page of messages, one block of a file, and the names of the ZIP's entries.
"""

import time
from collections.abc import Callable
from contextlib import closing
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from flask_babel import gettext as _
from sqlalchemy import func, select

from myukm.db.session import release_connection, transaction
from myukm.domain.actor import Actor
from myukm.domain.exports import archive_entries, store
from myukm.domain.exports.archive_pages import Page
from myukm.domain.exports.parts import PartsFile
from myukm.domain.ukm import authorization
from myukm.extensions import db
from myukm.models import ChatFile, ChatMessage, Export, Ukm, User

PORTION_SECONDS = 3.0


class Place(msgspec.Struct):
    """How much of an archive is written.

    The archive has the messages up to the id `until`, the last one at the beginning, and their
    files: a file sent after the step "files" would be missing although its message is there.
    `deleted` is the result of `_count_deleted` at the beginning. `step` is "files", "messages",
    "end" (members and start page), or "" when all is written. `after` is the id of the last written
    file or message of this step; `done` counts the written messages and files, `pages` are the
    written pages of messages. An older version stored no `until`; such an archive is begun anew.
    """

    until: int = -1
    deleted: int = -1
    step: str = "files"
    after: int = 0
    done: int = 0
    pages: list[Page] = []


def count(ukm_id: int) -> int:
    """Return how many messages and files an archive of the UKM would have."""
    queries = [
        select(func.count()).select_from(table).where(table.ukm_id == ukm_id, condition)
        for table, condition in (
            (ChatMessage, ChatMessage.deleted_at.is_(None)),
            (ChatFile, archive_entries.IS_SENT),
        )
    ]
    return sum(int(db.session.scalar(query) or 0) for query in queries)


def check_right(export: Export | store.Held) -> Ukm:
    """Return the UKM, whose code is the query of an archive. Raises `NotFound` or `Forbidden` if
    the account that requested the export is not an admin of the UKM any more."""
    return authorization.authorize_manager(Actor("", export.user_id), export.query)


def write_portion(held: store.Held, progress: Callable[[int], None]) -> None:
    """Write for `PORTION_SECONDS`, then end the export, or let another job continue. `held` is the
    export as this job claimed it.

    `progress` is called with the number of entries written so far. Raises `HolderLostError`,
    `NotFound` or `Forbidden` as `check_right`, and OSError if the storage does not answer.
    """
    ukm = check_right(held)
    place = msgspec.json.decode(held.place, type=Place) if held.place else _begin(ukm)
    with closing(PartsFile(held)) as file:
        with ZipFile(file, "a", ZIP_DEFLATED) as archive:
            _steps(archive, ukm, place, progress)
        size = file.size
    if place.step:
        store.hand_over(held, msgspec.json.encode(place).decode(), size, place.done)
    elif place.until < 0 or _count_deleted(ukm, place.until) != place.deleted:
        if_too_often = _("Pesan terus dihapus selama berkas ditulis. Coba lagi nanti.")
        store.begin_anew(held, if_too_often)
    else:
        store.finish(held, size)


def _begin(ukm: Ukm) -> Place:
    """Return the place of a new archive. Waits for the UKM's lock, so that messages and deletions
    under way are committed before the first file is read."""
    with transaction() as session:
        session.execute(select(Ukm.id).where(Ukm.id == ukm.id).with_for_update(key_share=True))
        last = select(func.max(ChatMessage.id)).where(ChatMessage.ukm_id == ukm.id)
        until = session.scalar(last) or 0
        return Place(until, _count_deleted(ukm, until))


def _steps(archive: ZipFile, ukm: Ukm, place: Place, progress: Callable[[int], None]) -> None:
    """Write one step after another for `PORTION_SECONDS`, at least one."""
    until = time.monotonic() + PORTION_SECONDS
    while place.step:
        _step(archive, ukm, place)
        release_connection()
        progress(place.done)
        if time.monotonic() >= until:
            return


def _step(archive: ZipFile, ukm: Ukm, place: Place) -> None:
    """Write one file, one page of messages, or the members and the start page."""
    if place.step == "files":
        last = archive_entries.write_file(archive, ukm, place.after, place.until)
        place.done += bool(last)
        place.step, place.after = ("files", last) if last else ("messages", 0)
    elif place.step == "messages":
        number = len(place.pages) + 1
        page = archive_entries.write_messages(archive, ukm, place.after, place.until, number)
        if page is None:
            place.step = "end"
            return
        place.pages.append(page)
        place.after, place.done = page.last_id, place.done + page.count
    else:
        archive_entries.write_rest(archive, ukm, place.pages)
        place.step = ""


def _count_deleted(ukm: Ukm, until: int) -> int:
    """Return how many messages of the archive, and accounts of their authors, are deleted. A
    deletion while the archive is written may leave a text, a file or a name in it. The number shows
    it, and the time of the deletion does not, because its transaction may have begun earlier."""
    written = select(ChatMessage.id).where(ChatMessage.ukm_id == ukm.id, ChatMessage.id <= until)
    by_author = written.where(ChatMessage.user_id == User.id).exists()
    deleted = (
        written.where(ChatMessage.deleted_at.is_not(None)),
        select(User.id).where(User.deleted_at.is_not(None), by_author),
    )
    counts = [select(func.count()).select_from(query.subquery()) for query in deleted]
    return sum(db.session.scalar(count) or 0 for count in counts)
