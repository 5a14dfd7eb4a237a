"""Parses the payment API's list of all students; an incomplete list is refused."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

from myukm.domain.payment_api import partial
from myukm.domain.payment_api.body import InvalidBody, decode, objects, without_bom

Roster = list[dict[str, Any]]


def read(body: bytes, headers: Mapping[str, str]) -> Roster:
    """Return the students of an answer to `GET /siswa`. Raises `InvalidBody`.

    A page of a longer list is refused, because students on other pages would count as gone.
    """
    answer = decode(without_bom(body))
    students = objects(answer.get("data"))
    if field := partial.sign(answer, headers, len(students)):
        raise InvalidBody(
            _(
                "hanya sebagian dari daftar siswa: %(sign)s. "
                "GET /siswa harus menjawab semua siswa sekaligus",
                sign=field,
            )
        )
    return students
