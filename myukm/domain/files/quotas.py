"""Quotas of files: the size of one file, and the total of a person and of a UKM."""

from typing import NamedTuple

from flask import current_app
from flask_babel import format_decimal
from flask_babel import lazy_gettext as _
from sqlalchemy import ColumnElement, func, select

from myukm.errors import DomainError
from myukm.extensions import db
from myukm.models import ChatFile

MEGABYTE = 1_000_000


class Usage(NamedTuple):
    """How much is stored, and the quota, in bytes."""

    used: int
    limit: int


def max_bytes() -> int:
    """Return the maximum size of one file in bytes."""
    return _setting("FILES_MAX_MB")


def of_person(user_id: int) -> Usage:
    """Return how much a person has stored, over all UKMs."""
    return Usage(_stored(ChatFile.user_id == user_id), _setting("FILES_PERSON_MB"))


def of_ukm(ukm_id: int) -> Usage:
    """Return how much the members of a UKM have stored there."""
    return Usage(_stored(ChatFile.ukm_id == ukm_id), _setting("FILES_UKM_MB"))


def check(user_id: int, ukm_id: int, size: int) -> None:
    """Raise a `DomainError` (413) if a file of that many bytes is too large or exceeds a quota."""
    if size > max_bytes():
        raise too_large()
    mine, ours = of_person(user_id), of_ukm(ukm_id)
    if mine.used + size > mine.limit:
        text = _("Jatah berkas Anda (%(limit)s) sudah penuh. Hapus dulu pesan berisi berkas.")
        raise _full(text, mine)
    if ours.used + size > ours.limit:
        text = _("Jatah berkas UKM ini (%(limit)s) sudah penuh. Hapus dulu pesan berisi berkas.")
        raise _full(text, ours)


def too_large() -> DomainError:
    """Return the error for a file over the limit."""
    text = _("Berkas paling besar %(limit)s.", limit=in_words(max_bytes()))
    return DomainError(text, code="file_too_large", status=413)


def in_words(size: int) -> str:
    """Return a number of bytes as people read it: 1,4 MB, 320 kB."""
    for unit, name in ((1000 * MEGABYTE, "GB"), (MEGABYTE, "MB"), (1000, "kB")):
        if size >= unit:
            value = size / unit
            return f"{format_decimal(round(value, 1 if value < 10 else 0))} {name}"
    return f"{format_decimal(size)} B"


def _full(text: object, usage: Usage) -> DomainError:
    words = str(text) % {"limit": in_words(usage.limit)}
    return DomainError(words, code="quota_used", status=413)


def _stored(condition: ColumnElement[bool]) -> int:
    return int(db.session.scalar(select(func.sum(ChatFile.size)).where(condition)) or 0)


def _setting(name: str) -> int:
    return int(current_app.config[name]) * MEGABYTE
