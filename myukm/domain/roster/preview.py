"""What an import changes, page by page."""

from typing import Any

from sqlalchemy import select

from myukm.domain.paging import Page, paginate
from myukm.extensions import db
from myukm.models import RosterChange, RosterImport
from myukm.models.roster import ChangeKind

COUNTS = {
    ChangeKind.NEW: "added",
    ChangeKind.CHANGED: "changed",
    ChangeKind.LEAVING: "leaving",
    ChangeKind.WRONG: "wrong",
}
SKIPPED = "skipped"


def counts(roster_import: RosterImport) -> dict[str, int]:
    """Return the number of changes of each kind; `skipped` only if changes were skipped."""
    found = {str(kind): getattr(roster_import, name) for kind, name in COUNTS.items()}
    return found | ({SKIPPED: roster_import.skipped} if roster_import.skipped else {})


def first_kind(roster_import: RosterImport) -> str:
    """Return the kind to show first: the first of wrong, leaving, changed, new that has a row."""
    order = (ChangeKind.WRONG, ChangeKind.LEAVING, ChangeKind.CHANGED, ChangeKind.NEW)
    return next((kind for kind in order if counts(roster_import)[kind]), ChangeKind.NEW)


def is_incomplete(roster_import: RosterImport) -> bool:
    """Return whether a row without an id keeps a complete roster from making anybody inactive."""
    ours = (RosterChange.import_id == roster_import.id, RosterChange.kind == ChangeKind.WRONG)
    nameless = select(RosterChange.number).where(*ours, RosterChange.idperson == "")
    return roster_import.whole and db.session.scalar(nameless.limit(1)) is not None


def changes(roster_import: RosterImport, kind: str, page: int = 1) -> Page[RosterChange]:
    """Return a page of the changes of a kind, or of the skipped ones (`SKIPPED`), in file order."""
    query = select(RosterChange).where(RosterChange.import_id == roster_import.id)
    chosen = RosterChange.skipped if kind == SKIPPED else RosterChange.kind == kind
    return paginate(query.where(chosen).order_by(RosterChange.number), page)


def as_json(change: RosterChange) -> dict[str, Any]:
    """Return a change as JSON."""
    names = ("kind", "idperson", "nama", "old", "new", "line", "reason", "skipped")
    return {name: getattr(change, name) for name in names}
