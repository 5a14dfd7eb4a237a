"""Where an import waits until all of it is known to be good: a temporary file, not memory."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from flask_babel import lazy_gettext as _

from myukm.domain.siswa.siswa_rows import Values, clean
from myukm.errors import Invalid

Place = Callable[[int, Any], Invalid]


class Staging:
    """Checked students, each id once; the file is SQLite's own and gone with `close()`.

    `place` makes the error for a row from its number and what is wrong with it.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.count = 0
        self._file = sqlite3.connect("", isolation_level=None)
        self._file.execute("PRAGMA cache_size = -32768")  # KiB
        self._file.execute(
            "CREATE TABLE staged (idperson TEXT PRIMARY KEY, number INTEGER, fields TEXT)"
            " WITHOUT ROWID"
        )
        self._file.execute("BEGIN")

    def add(self, number: int, raw: Mapping[str, Any]) -> None:
        """Check a row and keep it. Raises `Invalid` for a bad one or an id that came before."""
        try:
            values = clean(raw)
        except Invalid as error:
            raise self.place(number, error.message) from None
        row = (values["idperson"], number, json.dumps(values))
        try:
            self._file.execute("INSERT INTO staged VALUES (?, ?, ?)", row)
        except sqlite3.IntegrityError:
            raise self._doubled(number, values["idperson"]) from None
        self.count += 1

    def _doubled(self, number: int, idperson: str) -> Invalid:
        find = "SELECT number FROM staged WHERE idperson = ?"
        (first,) = self._file.execute(find, (idperson,)).fetchone()
        reason = _("idperson %(id)s sudah ada di nomor %(first)d.", id=idperson, first=first)
        return self.place(number, reason)

    def batches(self, size: int) -> Iterator[list[Values]]:
        """Yield all students in the order of their ids, `size` at a time."""
        rows = self._file.execute("SELECT fields FROM staged ORDER BY idperson")
        while batch := [json.loads(fields) for (fields,) in islice(rows, size)]:
            yield batch

    def lacks(self, ids: Sequence[str]) -> list[str]:
        """Return those of `ids` that are not staged."""
        find = "SELECT 1 FROM staged WHERE idperson = ?"
        return [one for one in ids if not self._file.execute(find, (one,)).fetchone()]

    def close(self) -> None:
        """Throw the file away."""
        self._file.close()
