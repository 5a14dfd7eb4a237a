"""Cached, encoded responses with the sample campus's data."""

import gzip
import json
from functools import cached_property
from hashlib import blake2b
from typing import Any

from devtools.sample import index_of, payments, student, students
from devtools.simulator.http import response
from devtools.simulator.options import Options, Selection, fraction


class CachedResponse:
    """One correct response: its JSON, its ETag, and the response bytes plain and compressed."""

    def __init__(self, data: Any, tagged: bool) -> None:
        self.body = json.dumps({"data": data}, separators=(",", ":")).encode()
        self._tagged = tagged

    @cached_property
    def etag(self) -> str:
        return f'"{blake2b(self.body, digest_size=8).hexdigest()}"' if self._tagged else ""

    @cached_property
    def plain(self) -> bytes:
        return response(200, self.body, self._headers())

    @cached_property
    def compressed(self) -> bytes:
        packed = gzip.compress(self.body, compresslevel=5, mtime=0)
        return response(200, packed, (*self._headers(), ("Content-Encoding", "gzip")))

    @cached_property
    def not_modified(self) -> bytes:
        return response(304, b"", self._headers())

    def _headers(self) -> tuple[tuple[str, str], ...]:
        return (("ETag", self.etag),) if self._tagged else ()


class AnswerCache:
    """The responses without any fault."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._pages: dict[str, CachedResponse | None] = {}

    def serves(self, options: Options) -> bool:
        """Return whether these responses are valid under `options`."""
        ours = self._options
        return (ours.students, ours.changes, ours.etag) == (
            options.students,
            options.changes,
            options.etag,
        )

    @cached_property
    def roster(self) -> CachedResponse:
        return CachedResponse(list(students(self._options.students)), self._options.etag)

    def page(self, idperson: str) -> CachedResponse | None:
        """Return the response with a student's payments, None for an unknown student."""
        if idperson not in self._pages:
            data = self.payments(idperson)
            page = None if data is None else CachedResponse(data, self._options.etag)
            self._pages[idperson] = page
        return self._pages[idperson]

    def neighbour(self, idperson: str) -> CachedResponse:
        """Return the response with another student's payments."""
        index = index_of(idperson, self._options.students) or 0
        return CachedResponse(
            payments(student(index + 1)) or payments(student(index + 2)), tagged=False
        )

    def payments(self, idperson: str) -> list[dict[str, Any]] | None:
        """Return the value of `data` for a student, None for an unknown student."""
        index = index_of(idperson, self._options.students)
        if index is None:
            return None
        return payments(student(index), self._changes(idperson))

    def _changes(self, idperson: str) -> int:
        return sum(
            selects(chosen, f"change {day}", idperson)
            for day, chosen in enumerate(self._options.changes)
        )


def selects(selection: Selection, salt: str, idperson: str) -> bool:
    """Return whether `selection` (a share or ids) includes this student."""
    if isinstance(selection, frozenset):
        return idperson in selection
    return fraction(salt, idperson) < selection
