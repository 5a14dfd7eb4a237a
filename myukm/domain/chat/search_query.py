"""The language of the search field: words, "a phrase", dari:nama, sejak:2026-11, ada:berkas."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from flask_babel import lazy_gettext as _

from myukm.errors import Invalid
from myukm.i18n import campus_timezone
from myukm.models.search_terms import words
from myukm.models.siswa import fold

MAX_LENGTH, MAX_WORDS = 300, 16
EARLIEST = 1970  # before all messages, and within the range of every database
_PART = re.compile(
    r'(?<!\S)(?P<filter>dari|sejak|ada):(?:"(?P<quoted>[^"]*)"|(?P<value>[^\s"]*))'
    r'|"(?P<phrase>[^"]*)"'
    r'|(?P<plain>[^\s"]+)',
    re.IGNORECASE,
)
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_DAY = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """A parsed search. Each of `phrases` is one word or several consecutive ones; all must match.

    `names` are the wanted authors, of which any may match, each as a tuple of words; `since` is the
    earliest time.
    """

    phrases: tuple[tuple[str, ...], ...] = ()
    names: tuple[tuple[str, ...], ...] = ()
    since: datetime | None = None
    with_files: bool = False


def parse(text: str) -> Wanted:
    """Parse the text of the search field.

    Punctuation other than the operators is ignored. A word with punctuation inside (`a.b@c`) is a
    phrase. Raises `Invalid` for an empty search, a too long one, or a filter without a valid value.
    """
    if len(text) > MAX_LENGTH:
        raise Invalid(
            _("Pencarian paling panjang %(n)s karakter.", n=MAX_LENGTH), code="search_too_long"
        )
    phrases: dict[tuple[str, ...], None] = {}
    filters: dict[str, list[str]] = {"dari": [], "sejak": [], "ada": []}
    for part in _PART.finditer(text.translate(_QUOTES)):
        if name := part["filter"]:
            filters[name.lower()].append(part["quoted"] or part["value"] or "")
        elif found := tuple(words(part["phrase"] or part["plain"] or "")):
            phrases[found] = None
    wanted = Wanted(
        phrases=tuple(phrases),
        names=tuple(_name(value) for value in filters["dari"]),
        since=max((_since(value) for value in filters["sejak"]), default=None),
        with_files=any(_files(value) for value in filters["ada"]),
    )
    _check(wanted)
    return wanted


def _check(wanted: Wanted) -> None:
    if wanted == Wanted():
        raise Invalid(_("Tulis kata yang dicari."), code="nothing_to_look_for")
    if sum(map(len, wanted.phrases)) > MAX_WORDS:
        raise Invalid(_("Pencarian paling banyak %(n)s kata.", n=MAX_WORDS), code="search_too_long")


def _name(value: str) -> tuple[str, ...]:
    if not (name := tuple(fold(value).split())):
        raise Invalid(_("Tulis nama langsung setelah dari:, misalnya dari:siti"), code="bad_filter")
    return name


def _since(value: str) -> datetime:
    """Return the beginning of a year, month or day in the campus's time zone."""
    if found := _DAY.fullmatch(value):
        year, month, day = (int(part or 1) for part in found.groups())
        with suppress(ValueError):
            return datetime(max(year, EARLIEST), month, day, tzinfo=campus_timezone())
    text = _("Tulis tahun, bulan, atau tanggal setelah sejak:, misalnya sejak:2026-11")
    raise Invalid(text, code="bad_filter")


def _files(value: str) -> bool:
    if fold(value) != "berkas":
        raise Invalid(_("Setelah ada: hanya bisa berkas."), code="bad_filter")
    return True


def is_named(name: str, wanted: tuple[tuple[str, ...], ...]) -> bool:
    """Return whether a person's name contains one of these names, beginning at a word."""
    return any(f" {' '.join(each)}" in f" {_folded(name)}" for each in wanted)


@lru_cache(50_000)
def _folded(name: str) -> str:
    return " ".join(fold(name).split())
