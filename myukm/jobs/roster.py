"""The job of an import of students, on the queue `default`."""

from myukm.domain.roster import work
from myukm.jobs import with_app_context


@with_app_context
def advance_roster_import(import_id: int) -> None:
    """Read, apply or undo the import, depending on its status."""
    work.advance(import_id)
