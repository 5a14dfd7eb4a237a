"""Validates the rows of a roster one by one, whatever its source; wrong rows are collected."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _

from myukm.domain.csv_table import bad_line
from myukm.domain.siswa.fields import REQUIRED, FirstMentions, Values, clean, readable_id
from myukm.domain.text_normalization import clean_line
from myukm.errors import Invalid

MAX_PROBLEMS = 5000
MAX_SHOWN = 60  # characters of a value in a problem


class RawRow(NamedTuple):
    """A row of the source: its line or number, its values by column, and the `problem` that the
    source found in it, if any.

    A row without `idperson` in `raw` belongs to an unknown student.
    """

    line: int
    raw: Mapping[str, Any]
    problem: Any = None


class Problem(NamedTuple):
    """A wrong row: its line, its student as far as readable, and the reason."""

    line: int
    idperson: str
    nama: str
    reason: Any

    @property
    def who(self) -> str:
        """The student's name and id as the row has them."""
        return ", ".join(part for part in (self.nama, self.idperson) if part) or "?"


def in_file(problem: Problem) -> Any:
    """Return a wrong row of a file as a sentence."""
    return bad_line(problem.line, problem.reason).message


class Reader:
    """Reads the rows once. Afterwards `problems`, `rejected` and `named` are complete.

    `rejected` are the ids of students with a wrong row. `named` has all students that a row names,
    wrong rows included. `has_every_id`: the id of every row was readable; otherwise no student may
    be counted as missing. `count` is the number of valid students. A `strict` reader raises
    `Invalid` for the first wrong row. `describe` returns the sentence for a wrong row.
    """

    def __init__(
        self,
        rows: Iterable[RawRow],
        describe: Callable[[Problem], Any] = in_file,
        *,
        strict: bool = False,
    ) -> None:
        self._rows, self._describe, self._strict = rows, describe, strict
        self.named = FirstMentions()
        self.problems: list[Problem] = []
        self.rejected: set[str] = set()
        self.has_every_id, self.count = True, 0

    def students(self) -> Iterator[Values]:
        """Yield each student once.

        If a later row of a student turns out wrong, the student's id is added to `rejected`. Raises
        `Invalid` for a source that is unusable or has more than `MAX_PROBLEMS` wrong rows.
        """
        for row in self._rows:
            try:
                values = _values(row)
                if self.named.add(row.line, values):
                    self.count += 1
                    yield values
            except Invalid as error:
                self._reject(row, error.message)

    def first_error(self) -> Invalid:
        """Return the error for the first wrong row."""
        return Invalid(self._describe(self.problems[0]), code="bad_row")

    def _reject(self, row: RawRow, reason: Any) -> None:
        shown = {name: clean_line(str(row.raw.get(name) or ""))[:MAX_SHOWN] for name in REQUIRED}
        self.problems.append(Problem(row.line, reason=reason, **shown))
        if self._strict:
            raise self.first_error()
        if idperson := readable_id(row.raw):
            if self.named.reject(row.line, idperson):  # the student was valid until now
                self.count -= 1
            self.rejected.add(idperson)
        else:
            self.has_every_id = False
        if len(self.problems) > MAX_PROBLEMS:
            message = _("Lebih dari %(n)d baris salah. Periksa kolomnya.", n=MAX_PROBLEMS)
            raise Invalid(message, code="bad_roster")


def _values(row: RawRow) -> Values:
    if row.problem:
        raise Invalid(row.problem)
    return clean(row.raw)
