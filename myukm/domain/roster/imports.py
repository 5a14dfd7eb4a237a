"""The life of an import: created, previewed, applied, undone, withdrawn."""

from collections.abc import Sequence
from typing import BinaryIO

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from myukm.db.session import execute_rowcount, on_commit, transaction
from myukm.db.types import utcnow
from myukm.domain.actor import Actor
from myukm.domain.files.names import clean_name
from myukm.domain.roster import file_source, leaving, parts, planning, queueing, settled
from myukm.errors import Conflict, NotFound
from myukm.extensions import db
from myukm.i18n import language
from myukm.models import RosterChange, RosterImport
from myukm.models.roster import CHANGES_KEPT, END, OPEN, ImportStatus

API = "API"
MAX_SHOWN = 20
ACCEPT = _("Bila memang benar, centang persetujuannya.")


def create(
    by: Actor,
    source: str,
    file_name: str = "",
    *,
    whole: bool,
    file: BinaryIO | None = None,
    holder: str | None = None,
) -> RosterImport:
    """Create an import of `file`, or of the API. With `holder` the caller works on it; otherwise a
    job is enqueued. `whole`: students that the source does not mention become inactive.

    Raises `DomainError` (413) if the file is too large.
    """
    with transaction() as session:
        name = str(clean_name(file_name)) if file_name else ""
        roster_import = RosterImport(source=source, file_name=name, whole=whole, holder=holder)
        roster_import.account_id, roster_import.actor_name = by.user_id, by.name
        roster_import.lang = language()
        session.add(roster_import)
        session.flush()
        if file:
            parts.store(session, roster_import.id, file)
        if holder is None:
            on_commit(queueing.queue, roster_import.id)
    return roster_import


def upload(by: Actor, file: BinaryIO, file_name: str, *, whole: bool) -> RosterImport:
    """Store a person's file; a job makes the preview, which replaces an earlier one of this person.

    Raises `Invalid` for an empty file, `DomainError` (413) for one that is too large. Then the
    earlier preview stays.
    """
    one = create(by, file_source.kind_of(file), file_name, whole=whole, file=file)
    _withdraw_earlier(one)
    return one


def request_api(by: Actor) -> RosterImport:
    """Let a job fetch the payment API's roster for a preview, which replaces an earlier one."""
    one = create(by, API, whole=True)
    _withdraw_earlier(one)
    return one


def find(import_id: int, account_id: int) -> RosterImport:
    """Return an import. Other accounts' imports are found only if they were or are being written.

    Raises `NotFound`.
    """
    roster_import = db.session.get(RosterImport, import_id, populate_existing=True)
    if roster_import is None or (
        roster_import.status in OPEN and roster_import.account_id != account_id
    ):
        raise NotFound(_("Impor ini tidak ada, atau pratinjaunya sudah dibuang."))
    return roster_import


def recent() -> Sequence[RosterImport]:
    """Return the latest imports that were or are being written, newest first."""
    query = select(RosterImport).where(RosterImport.status.not_in(OPEN))
    return db.session.scalars(query.order_by(RosterImport.id.desc()).limit(MAX_SHOWN)).all()


def last_applied() -> RosterImport | None:
    """Return the import that may be undone: the last applied import that changed a student. None if
    there is none, or its changes are no longer stored."""
    changed = RosterImport.added + RosterImport.changed + RosterImport.leaving
    applied = (RosterImport.status == ImportStatus.APPLIED, changed > RosterImport.skipped)
    query = select(RosterImport).where(*applied)
    last = db.session.scalar(query.order_by(RosterImport.settled.desc()).limit(1))
    if last is None or last.settled_at is None or last.settled_at <= utcnow() - CHANGES_KEPT:
        return None
    stored = select(RosterChange.number).where(RosterChange.import_id == last.id)
    return last if db.session.scalar(stored.limit(1)) else None


def start_apply(
    roster_import: RosterImport, plan: int, *, accept: bool, holder: str | None = None
) -> None:
    """Begin to write the changes of preview number `plan`: enqueue a job, or let the caller write
    them as `holder`.

    If another import was applied or undone since the preview, the changes are not written: a job
    makes a new preview and `outdated` is set, or with a `holder` `Conflict` is raised. Raises
    `Conflict` also if the import is not ready, if `plan` is not its latest preview, if another
    import is being written, or if many students would leave and `accept` is not set.
    """
    if roster_import.status != ImportStatus.READY or roster_import.plan != plan:
        raise Conflict(_("Pratinjau ini sudah tidak berlaku. Periksa yang terbaru."), code="stale")
    if leaving.are_many(roster_import) and not accept:
        raise leaving.many_leave(roster_import, ACCEPT)
    with transaction() as session:
        is_old = settled.newest(session) != roster_import.base
        if is_old and holder:
            raise _busy()
        status = ImportStatus.READING if is_old else ImportStatus.APPLYING
        _begin(
            roster_import, ImportStatus.READY, status, outdated=is_old, holder=holder, position=0
        )


def start_undo(roster_import: RosterImport, by: Actor) -> None:
    """Begin to restore the students that an import changed. Raises `Conflict` unless the import is
    `last_applied`."""
    last = last_applied()
    if last is None or last.id != roster_import.id:
        raise Conflict(
            _("Hanya impor terakhir yang bisa dibatalkan, selama perubahannya masih disimpan."),
            code="not_last",
        )
    names = {"undone_by": by.name, "undone_by_id": by.user_id, "lang": language()}
    with transaction():
        _begin(
            roster_import,
            ImportStatus.APPLIED,
            ImportStatus.UNDOING,
            position=END,
            error=None,
            **names,
        )


def _begin(
    roster_import: RosterImport, expected: str, status: ImportStatus, **values: object
) -> None:
    """Change the status from `expected` and enqueue a job, unless `values` has a holder.

    Raises `Conflict` if the status is not `expected`, or if another import is changing students.
    """
    live = None if status == ImportStatus.READING else 1
    ours = update(RosterImport).where(
        RosterImport.id == roster_import.id, RosterImport.status == expected
    )
    try:
        session = db.session()
        if not execute_rowcount(session, ours.values(status=status, live=live, **values)):
            raise _busy()
    except IntegrityError:
        raise _busy() from None
    if not values.get("holder"):
        on_commit(queueing.queue, roster_import.id)


def withdraw(import_id: int) -> bool:
    """Delete an import that has changed no student, with its file and preview, and return True.

    Return False for an import that was or is being written: it stays.
    """
    open_one = (RosterImport.id == import_id, RosterImport.status.in_(OPEN))
    with transaction() as session:
        if not execute_rowcount(session, delete(RosterImport).where(*open_one)):
            return False
        parts.clear(session, import_id)
    while planning.clear(import_id):
        pass
    return True


def _withdraw_earlier(newest: RosterImport) -> None:
    """Withdraw the earlier previews of the same person, now that the newest is stored."""
    ours = (RosterImport.account_id == newest.account_id, RosterImport.status.in_(OPEN))
    earlier = select(RosterImport.id).where(*ours, RosterImport.id < newest.id)
    for import_id in db.session.scalars(earlier).all():
        withdraw(import_id)


def _busy() -> Conflict:
    return Conflict(_("Impor lain sedang berjalan. Ulangi setelah selesai."), code="import_running")
