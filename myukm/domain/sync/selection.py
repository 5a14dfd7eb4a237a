"""Selection of the students of a run."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _
from sqlalchemy import Select, select

from myukm.db.types import is_id
from myukm.errors import Invalid, NotFound
from myukm.extensions import db
from myukm.models import Siswa, SyncItem, SyncRun
from myukm.models.sync import ItemStatus

MAX_SELECTED = 10_000


def selection(
    selected_ids: Sequence[str] | None, parent_run_id: int | None, failed_code: str | None
) -> Select[int]:
    """Return the query for the ids (`Siswa.id`) of a run's students.

    These are the active students, limited to `selected_ids` (idpersons) and to those that failed in
    the parent run (for the cause `failed_code`), if given.
    """
    query = select(Siswa.id).where(Siswa.active)
    if selected_ids is not None:
        query = query.where(Siswa.idperson.in_(selected_ids))
    if parent_run_id is not None:
        failed = select(SyncItem.idperson).where(
            SyncItem.run_id == parent_run_id, SyncItem.status == ItemStatus.FAILED
        )
        if failed_code is not None:
            failed = failed.where(SyncItem.code == failed_code)
        query = query.where(Siswa.idperson.in_(failed))
    return query


def check(
    selected_ids: Sequence[str] | None, failed_of: int | None, failed_code: str | None
) -> list[str] | None:
    """Return the selected ids without duplicates, after checking that there is a student to sync.

    Raises `NotFound` for an unknown run `failed_of`, `Invalid` if students are unknown or inactive,
    or if there is no student.
    """
    if failed_of is not None and not _is_run(failed_of):
        raise NotFound(_("Tidak ada proses #%(run)s.", run=failed_of), code="no_such_run")
    students = None if selected_ids is None else list(dict.fromkeys(selected_ids))
    if students is not None:
        _check_selected(students)
    if db.session.scalar(selection(students, failed_of, failed_code).limit(1)) is None:
        raise no_student()
    return students


def _is_run(run_id: int) -> bool:
    return is_id(run_id) and db.session.get(SyncRun, run_id) is not None


def no_student() -> Invalid:
    """Return the error for a run without students."""
    return Invalid(_("Tidak ada siswa yang dapat disinkronkan."), code="no_student")


def _check_selected(students: Sequence[str]) -> None:
    if len(students) > MAX_SELECTED:
        text = _("Paling banyak %(n)d siswa dapat dipilih.", n=MAX_SELECTED)
        raise Invalid(text, code="too_many_students")
    query = select(Siswa.idperson, Siswa.active).where(Siswa.idperson.in_(students))
    active = {row.idperson: row.active for row in db.session.execute(query)}
    if unknown := [student for student in students if student not in active]:
        text = _("%(n)d siswa tidak dikenal: %(ids)s", n=len(unknown), ids=_first_five(unknown))
        raise Invalid(text, code="unknown_student")
    if inactive := [student for student in students if not active[student]]:
        text = _("%(n)d siswa tidak aktif: %(ids)s", n=len(inactive), ids=_first_five(inactive))
        raise Invalid(text, code="inactive_student")


def _first_five(students: Sequence[str]) -> str:
    return ", ".join(students[:5]) + (" …" if len(students) > 5 else "")
