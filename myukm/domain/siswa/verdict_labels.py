"""Translated labels of the verdicts, for pages and commands."""

from flask_babel import lazy_gettext as _

from myukm.models import Siswa
from myukm.models.siswa import Verdict

LABELS = {
    Verdict.BELUM_SINKRON: _("Belum ada data"),
    Verdict.TANPA_TAGIHAN: _("Tidak ada tagihan"),
    Verdict.TUNGGAKAN: _("Belum lunas"),
    Verdict.LUNAS: _("Lunas"),
}
FILTERS = {
    "tunggakan": LABELS[Verdict.TUNGGAKAN],
    "belum": LABELS[Verdict.TUNGGAKAN],
    "lunas": LABELS[Verdict.LUNAS],
    "lebih_bayar": _("Lebih bayar"),
    "tanpa_tagihan": LABELS[Verdict.TANPA_TAGIHAN],
    "belum_sinkron": LABELS[Verdict.BELUM_SINKRON],
    "gagal": _("Gagal pada sinkronisasi terakhir"),
    "tidak_cocok": _("Angka tidak cocok"),
    "dibayar_turun": _("Jumlah dibayar turun"),
    "tagihan_hilang": _("Tagihan hilang"),
    "aktif": _("Aktif"),
    "nonaktif": _("Nonaktif"),
}


def label(status: str) -> str:
    """Return the label of a verdict."""
    return str(LABELS[Verdict(status)])


def describe(student: Siswa) -> str:
    """Return a student's verdict with its marks (figures disagree, inactive), as one text."""
    return verdict_text(student.status, bool(student.tidak_cocok), bool(student.active))


def verdict_text(status: str, disagrees: bool, active: bool) -> str:
    """Return the label of a verdict with the labels of its marks."""
    marks = {"tidak_cocok": disagrees, "nonaktif": not active}
    labels = [label(status), *(str(FILTERS[mark]) for mark, set_ in marks.items() if set_)]
    return " · ".join(labels)
