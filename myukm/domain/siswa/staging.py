"""Staging of an import in a temporary file until all rows are validated."""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from flask_babel import lazy_gettext as _

from myukm.domain.siswa.fields import Values, clean
from myukm.errors import Invalid


class Staging:
    """Checked students, each id once; the file is SQLite's own and gone with `close()`."""

    def __init__(self) -> None:
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA cache_size = -32768")  # KiB
        self._file.execute(
            "CREATE TABLE staged (idperson TEXT PRIMARY KEY, number INTEGER, fields TEXT)"
            " WITHOUT ROWID"
        )
        self._file.execute("BEGIN")

    def add(self, number: int, raw: Mapping[str, Any]) -> None:
        """Check row `number` and keep it; one that says again what was said before is no other.

        Raises `Invalid` for a bad row, or one that says something else of a student.
        """
        values = clean(raw)
        row = (values["idperson"], number, json.dumps(values, sort_keys=True))
        try:
            self._file.execute("INSERT INTO staged VALUES (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            self._compare(*row)

    def leave_out(self, number: int, idperson: str) -> None:
        """Load nothing about a student (row `number`), who is known to be there all the same."""
        query = (
            "INSERT INTO staged VALUES (?, ?, NULL)"
            " ON CONFLICT (idperson) DO UPDATE SET fields = NULL"
        )
        self._file.execute(query, (idperson, number))

    @property
    def count(self) -> int:
        """How many students there are to load."""
        query = "SELECT count(*) FROM staged WHERE fields IS NOT NULL"
        return int(self._file.execute(query).fetchone()[0])

    def _compare(self, idperson: str, _number: int, fields: str) -> None:
        find = "SELECT number, fields FROM staged WHERE idperson = ?"
        first, known = self._file.execute(find, (idperson,)).fetchone()
        if known != fields:
            message = _("idperson %(id)s sudah ada di nomor %(first)s.", id=idperson, first=first)
            raise Invalid(message, code="bad_row")

    def batches(self, size: int) -> Iterator[list[Values]]:
        """Yield all students in the order of their ids, `size` at a time."""
        query = "SELECT fields FROM staged WHERE fields IS NOT NULL ORDER BY idperson"
        rows = self._file.execute(query)
        while batch := [json.loads(fields) for (fields,) in islice(rows, size)]:
            yield batch

    def missing(self, ids: Sequence[str]) -> list[str]:
        """Return those of `ids` that are not staged."""
        find = "SELECT 1 FROM staged WHERE idperson = ?"
        return [one for one in ids if not self._file.execute(find, (one,)).fetchone()]

    def close(self) -> None:
        """Delete the file."""
        self._file.close()
