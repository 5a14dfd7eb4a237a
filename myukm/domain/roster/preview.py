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


def counts(one: RosterImport) -> dict[str, int]:
    """Return the number of changes of each kind; `skipped` only if changes were skipped."""
    found = {str(kind): getattr(one, name) for kind, name in COUNTS.items()}
    return found | ({SKIPPED: one.skipped} if one.skipped else {})


def first_kind(one: RosterImport) -> str:
    """Return the kind to show first: the first of wrong, leaving, changed, new that has a row."""
    order = (ChangeKind.WRONG, ChangeKind.LEAVING, ChangeKind.CHANGED, ChangeKind.NEW)
    return next((kind for kind in order if counts(one)[kind]), ChangeKind.NEW)


def is_incomplete(one: RosterImport) -> bool:
    """Return whether a row without an id keeps a complete roster from making anybody inactive."""
    ours = (RosterChange.import_id == one.id, RosterChange.kind == ChangeKind.WRONG)
    nameless = select(RosterChange.number).where(*ours, RosterChange.idperson == "")
    return one.whole and db.session.scalar(nameless.limit(1)) is not None


def changes(one: RosterImport, kind: str, page: int = 1) -> Page[RosterChange]:
    """Return a page of the changes of a kind, or of the skipped ones (`SKIPPED`), in file order."""
    query = select(RosterChange).where(RosterChange.import_id == one.id)
    chosen = RosterChange.skipped if kind == SKIPPED else RosterChange.kind == kind
    return paginate(query.where(chosen).order_by(RosterChange.number), page)


def as_json(change: RosterChange) -> dict[str, Any]:
    """Return a change as JSON."""
    names = ("kind", "idperson", "nama", "old", "new", "line", "reason", "skipped")
    return {name: getattr(change, name) for name in names}
