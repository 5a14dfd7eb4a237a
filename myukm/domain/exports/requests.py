"""What an account can do with its exports: request, list, read and delete them."""

from collections.abc import Iterator, Sequence
from urllib.parse import parse_qs

from flask_babel import get_locale
from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, Select, select, update

from myukm.db.session import on_commit, release_connection, transaction
from myukm.db.types import utcnow
from myukm.domain import activity
from myukm.domain.actor import Actor
from myukm.domain.exports import archive, progress, store
from myukm.domain.siswa.filters import Filters, parse
from myukm.domain.ukm import authorization
from myukm.errors import NotFound, TooFast
from myukm.extensions import db
from myukm.models import Export, ExportPart
from myukm.models.export import OPEN_EXPORTS, ExportState

# Per account: exports that are being written, and exports in all, because each may be large.
MAX_OPEN, MAX_FILES = 3, 10
LISTS, ARCHIVE = ("csv", "xlsx"), "zip"


def request(user_id: int, kind: str, query: str, total: int) -> Export:
    """Return a new export of `total` entries, or the account's unfinished export of the same kind,
    query and language. Raises `TooFast` if `MAX_OPEN` exports are unfinished."""
    lang = str(get_locale())
    with transaction() as session:
        mine = session.scalars(_of(user_id).with_for_update()).all()
        unfinished = [export for export in mine if export.state in OPEN_EXPORTS]
        for export in unfinished:
            if (export.kind, export.query, export.lang) == (kind, query, lang):
                return export
        if len(unfinished) >= MAX_OPEN:
            text = _("Tiga berkas masih ditulis. Tunggu sampai salah satunya selesai.")
            raise TooFast(text, code="too_many_exports", retry_after=30)
        ended = [export.id for export in mine if export.state not in OPEN_EXPORTS]
        discard(Export.id.in_(ended[MAX_FILES - len(unfinished) - 1 :]))
        new = Export(user_id=user_id, kind=kind, query=query, lang=lang, total=total)
        session.add(new)
        session.flush()
        store.write_later(new)
        on_commit(progress.publish, new)  # other open pages of the account list it
    return new


def request_archive(actor: Actor, code: str) -> Export:
    """Return a new export of a UKM, or the actor's unfinished one. Raises as
    `authorize_manager`, and `TooFast`."""
    ukm = authorization.authorize_manager(actor, code)
    me, total = actor.user_id or 0, archive.count(ukm.id)
    with transaction():
        known = {export.id for export in of_account(me, (ARCHIVE,), code)}
        found = request(me, ARCHIVE, code, total)
        if found.id not in known:
            activity.record_in_ukm(ukm.id, me, "exported")
    return found


def of_account(
    user_id: int, kinds: Sequence[str] = LISTS, query: str | None = None
) -> Sequence[Export]:
    """Return the exports of an account, newest first; `query` is the UKM's code (archives only)."""
    return db.session.scalars(_of(user_id, kinds, query)).all()


def find(
    user_id: int, export_id: int, kinds: Sequence[str] = LISTS, query: str | None = None
) -> Export:
    """Return an export of this account. Raises `NotFound`."""
    found = db.session.scalar(_of(user_id, kinds, query).where(Export.id == export_id))
    if found is None:
        raise NotFound(_("Berkas ini tidak ada lagi. Buat sekali lagi."))
    return found


def remove(export: Export) -> None:
    """Delete an export. The job that may be writing it then ends."""
    with transaction():
        discard(Export.id == export.id)


def discard(*which: ColumnElement[bool]) -> None:
    """Mark exports as deleted, inside `transaction()`. `retention` deletes the rows and parts
    later, because that takes long for a large file."""
    gone = {"state": ExportState.DELETED, "holder": None, "finished_at": utcnow()}
    db.session.execute(update(Export).where(*which).values(**gone))


def filters_of(export: Export | store.Held) -> Filters:
    """Return the filters that the export was requested with."""
    return parse(parse_qs(export.query))


def read(export: Export) -> Iterator[bytes]:
    """Yield the bytes of a ready export. No transaction stays open between parts, because the
    download may be slow."""
    part = select(ExportPart.data).where(ExportPart.export_id == export.id)
    for number in range(store.parts_of(export.size)):
        check_right(export)
        data = db.session.scalar(part.where(ExportPart.number == number))
        release_connection()
        if data is None:
            raise NotFound(_("Berkas ini sudah dihapus."))
        yield data


def check_right(export: Export) -> None:
    """Raise `NotFound` or `Forbidden` if a UKM's archive is requested by an account that is no
    admin of the UKM any more."""
    if export.kind == ARCHIVE:
        archive.check_right(export)


def _of(
    user_id: int, kinds: Sequence[str] = (*LISTS, ARCHIVE), query: str | None = None
) -> Select[Export]:
    mine = (Export.user_id == user_id, Export.state != ExportState.DELETED)
    found = select(Export).where(*mine, Export.kind.in_(kinds)).order_by(Export.id.desc())
    return found if query is None else found.where(Export.query == query)
