"""Translated labels of the filters of a list of students, for pages, files and paper."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from flask_babel import format_date, format_decimal
from flask_babel import lazy_gettext as _

from myukm.domain.payment_api.bill_rows import rupiah
from myukm.domain.siswa import verdict_labels
from myukm.domain.siswa.filters import Filters

NAMES = {
    "q": _("Kata"),
    "unit": _("Unit"),
    "kelas": _("Kelas"),
    "asrama": _("Asrama"),
    "kamar": _("Kamar"),
    "diniyah": _("Diniyah"),
    "period": _("Periode"),
    "category": _("Jenis tagihan"),
    "min": _("Tunggakan mulai"),
    "max": _("Tunggakan sampai"),
    "status": _("Status"),
    "filter": _("Status"),
    "since": _("Berubah sejak"),
}
SORTS = {
    "nama": _("Menurut nama"),
    "tunggakan": _("Tunggakan terbesar"),
    "lebih_bayar": _("Lebih bayar terbesar"),
    "berubah": _("Terakhir berubah"),
}


class Chosen(NamedTuple):
    """One filter in use: its name in the URL, its value, and both as a reader reads them."""

    name: str
    value: Any
    label: str
    text: str


def chosen(filters: Filters) -> Iterator[Chosen]:
    """Yield each value of the filters in use."""
    for name, label in NAMES.items():
        value = getattr(filters, name)
        if value not in ((), None) and (name != "q" or value):
            for one in value if isinstance(value, tuple) else (value,):
                yield Chosen(name, one, str(label), text_of(name, one))


def text_of(name: str, value: Any) -> str:
    """Return the value of a filter, or the key of a group, as a reader reads it."""
    if name in ("min", "max"):
        return str(format_decimal(rupiah(value)))
    if name in ("status", "filter"):
        return str(verdict_labels.FILTERS[value])
    if name == "since":
        return str(format_date(value))
    return str(value) if value != "" else str(_("(kosong)"))
