"""The filters of the list of students: read from a URL or a command, and written into a URL."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Self

from flask_babel import format_decimal
from flask_babel import gettext as _

from myukm.domain.payment_api import amounts
from myukm.domain.payment_api.bill_rows import clean_name, rupiah, sen
from myukm.domain.payment_api.plain_form import MAX_AMOUNT
from myukm.errors import Invalid
from myukm.models import Siswa, Tagihan

# The columns of students, and of their bills, that can be filtered and grouped by.
PLACES = {
    "unit": Siswa.unit_formal,
    "kelas": Siswa.kelas_formal,
    "asrama": Siswa.asrama_pondok,
    "kamar": Siswa.kamar_pondok,
    "diniyah": Siswa.tingkat_diniyah,
}
BILLS = {"period": Tagihan.period_id, "category": Tagihan.category}
GROUPS = (*PLACES, *BILLS)
SORTS = ("nama", "tunggakan", "lebih_bayar", "berubah")
# Statuses of students whose figures contradict each other or went down without a payment.
IMPLAUSIBLE = ("tidak_cocok", "dibayar_turun", "tagihan_hilang")
STATUSES = (
    *("tunggakan", "lunas", "lebih_bayar", "tanpa_tagihan"),
    *("belum_sinkron", "gagal", *IMPLAUSIBLE),
)
# The values of `filter` in the list of students. `belum` is the older name of `tunggakan`.
FILTER_VALUES = (
    *(("belum" if one == "tunggakan" else one) for one in STATUSES),
    "aktif",
    "nonaktif",
)
# Stands for the empty text, because a form sends an empty value for "all".
EMPTY = "(kosong)"
# The accepted years of a date. Dates in Python's first and last year cannot be converted to every
# time zone.
YEARS = range(1900, 3000)
Values = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Filters:
    """The filters of a list. Several texts mean "any of"; an empty tuple is no filter.

    `period` and `category` narrow the bills that are added up. `min` and `max` bound what is owed,
    in sen. `status`: any of them holds; `filter`: all of them hold. `since`: payments changed on
    that day of the campus or later.
    """

    q: str = ""
    unit: tuple[str, ...] = ()
    kelas: tuple[str, ...] = ()
    asrama: tuple[str, ...] = ()
    kamar: tuple[str, ...] = ()
    diniyah: tuple[str, ...] = ()
    period: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    min: int | None = None
    max: int | None = None
    status: tuple[str, ...] = ()
    filter: tuple[str, ...] = ()
    since: date | None = None
    sort: str = "nama"
    group: str | None = None

    @property
    def narrowed(self) -> bool:
        """Whether only some bills are added up."""
        return bool(self.period or self.category)

    def about_students(self) -> Self:
        """Return these filters without those that depend on payments."""
        active = tuple(name for name in self.filter if name in ("aktif", "nonaktif"))
        empty = {"period": (), "category": (), "min": None, "max": None}
        return replace(self, **empty, status=(), since=None, filter=active)  # type: ignore[arg-type]

    def query(self, **changed: Any) -> list[tuple[str, str]]:
        """Return these filters, with the values in `changed`, as pairs for a URL's query."""
        other, pairs = replace(self, **changed), []
        for field in fields(other):
            value = getattr(other, field.name)
            if value != field.default:
                for one in value if isinstance(value, tuple) else (value,):
                    pairs.append((field.name, _to_text(field.name, one)))
        return pairs


def parse(values: Values) -> Filters:
    """Return the filters of a URL's or a command's `values`. Raises `Invalid`.

    Empty values and unknown names are left out.
    """
    filters = Filters(
        **{name: _names(values.get(name, ())) for name in GROUPS},
        min=_amount("min", values),
        max=_amount("max", values),
        status=_some_of("status", STATUSES, values),
        filter=_some_of("filter", FILTER_VALUES, values),
        since=_day(values),
        q=_last("q", values).strip(),
        sort=_one_of("sort", SORTS, values) or "nama",
        group=_one_of("group", GROUPS, values),
    )
    if filters.min is not None and filters.max is not None and filters.min > filters.max:
        text = _("min lebih besar dari max: tidak ada jumlah di antaranya.")
        raise Invalid(text, code="bad_range")
    return filters


def _to_text(name: str, value: Any) -> str:
    if name in ("min", "max"):
        return rupiah(value)
    return str(value) if value != "" else EMPTY


def _names(texts: Iterable[str]) -> tuple[str, ...]:
    given = dict.fromkeys(clean_name(text) for text in texts)
    return tuple("" if name == EMPTY else name for name in given if name)


def _last(name: str, values: Values) -> str:
    given = values.get(name, ())
    return given[-1] if given else ""


def _some_of(name: str, known: Sequence[str], values: Values) -> tuple[str, ...]:
    given = tuple(dict.fromkeys(value for value in values.get(name, ()) if value))
    if not set(given) <= set(known):
        text = _("%(name)s harus salah satu dari: %(values)s.", name=name, values=", ".join(known))
        raise Invalid(text, code="bad_filter")
    return given


def _one_of(name: str, known: Sequence[str], values: Values) -> str | None:
    found = _some_of(name, known, {name: [_last(name, values)]})
    return found[0] if found else None


def _amount(name: str, values: Values) -> int | None:
    if not (text := _last(name, values).strip()):
        return None
    number = amounts.number(text)
    if number is None or not 0 <= number < MAX_AMOUNT:
        example = format_decimal(350_000)
        text = _("%(name)s harus jumlah rupiah, misalnya %(example)s.", name=name, example=example)
        raise Invalid(text, code="bad_amount")
    return sen(number)


def _day(values: Values) -> date | None:
    if not (text := _last("since", values).strip()):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if day.year not in YEARS:
        words = _("since harus tanggal seperti 2026-11-25.")
        raise Invalid(words, code="bad_date")
    return day
