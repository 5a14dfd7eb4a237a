"""Imports at once, for the command line: preview and application in one call."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple

from flask_babel import lazy_gettext as _

from myukm.domain.actor import Actor
from myukm.domain.roster import api_source, applying, file_source, imports, leaving, planning
from myukm.domain.roster.claim import Claim, ClaimLost, new_holder
from myukm.domain.roster.reader import Reader
from myukm.errors import Conflict
from myukm.extensions import db
from myukm.models import RosterImport

COMMAND = Actor("flask siswa")
ACCEPT = _("Bila memang benar, ulangi dengan --accept.")

Report = Callable[[str, int, int], None]


class Imported(NamedTuple):
    """The result of an import: numbers of students, in `left_out` a sentence for each rejected row,
    and in `warning` why nobody became inactive, if rows were rejected that may be anybody."""

    total: int
    added: int
    changed: int
    deactivated: int
    left_out: Sequence[Any] = ()
    warning: Any = ""


def _quiet(step: str, done: int, total: int) -> None:
    """Report nothing."""


def from_file(
    path: Path,
    report: Report = _quiet,
    *,
    whole: bool = False,
    accept: bool = False,
    by: Actor = COMMAND,
) -> Imported:
    """Import the students of a CSV or XLSX file. Students that it does not name stay unchanged, or
    become inactive if the file is the `whole` roster.

    `report(step, done, total)` is called at intervals: "check" in bytes, "load" in students.
    Raises `Invalid` with the number of the bad line, `Conflict` as `from_api`; then nothing is
    written.
    """
    with _seekable(path) as file:
        size = file.seek(0, os.SEEK_END)
        kind = file_source.kind_of(file)
        with _planned(by, kind, path.name, whole=whole) as claim:
            reader = Reader(file_source.rows(file, with_nim=True), strict=True)
            planning.plan(claim, reader, lambda: report("check", file.tell(), size))
            report("check", size, size)
            return _apply(claim, report, accept=accept)


def from_api(report: Report = _quiet, *, accept: bool = False, by: Actor = COMMAND) -> Imported:
    """Import the students of the payment API; students no longer in it become inactive.

    A bad row is left out and its student stays as it is. Raises `Unavailable` if the API gives no
    roster, `Conflict` if more than `GUARD_SHARE` of the active students would become inactive,
    unless `accept` is set.
    """
    students = api_source.fetch()
    with _planned(by, imports.API, whole=True) as claim:
        reader = Reader(api_source.rows(students), api_source.describe)
        planning.plan(claim, reader)
        left_out = tuple(api_source.describe(problem) for problem in reader.problems)
        nobody = _("Ada siswa tanpa idperson: tidak ada yang menjadi nonaktif.")
        warning = "" if reader.has_every_id else nobody
        done = _apply(claim, report, accept=accept)
        return done._replace(left_out=left_out, warning=warning)


def _apply(claim: Claim, report: Report, *, accept: bool) -> Imported:
    roster_import = db.session.get_one(RosterImport, claim.import_id)
    if leaving.are_many(roster_import) and not accept:
        raise leaving.many_leave(roster_import, ACCEPT)
    imports.start_apply(roster_import, roster_import.plan, accept=True, holder=claim.holder)
    applying.apply(claim, lambda done, total: report("load", done, total))
    db.session.refresh(roster_import)
    return Imported(
        roster_import.students, roster_import.added, roster_import.changed, roster_import.leaving
    )


@contextmanager
def _planned(by: Actor, source: str, name: str = "", *, whole: bool = False) -> Iterator[Claim]:
    """Yield the claim of a new import. An error withdraws the import, unless it is being written
    already: then a job continues it."""
    roster_import = imports.create(by, source, name, whole=whole, holder=new_holder())
    claim = Claim(roster_import.id, str(roster_import.holder))
    try:
        yield claim
    except ClaimLost:
        raise Conflict(_("Impor ini terhenti terlalu lama. Ulangi perintahnya.")) from None
    except BaseException:
        db.session.rollback()
        imports.withdraw(claim.import_id)
        raise


@contextmanager
def _seekable(path: Path) -> Iterator[BinaryIO]:
    """Open a file; a pipe is copied to a temporary file, because it cannot seek."""
    with path.open("rb") as file:
        if file.seekable():
            yield file
            return
        with TemporaryFile() as copy:
            shutil.copyfileobj(file, copy)
            yield copy
