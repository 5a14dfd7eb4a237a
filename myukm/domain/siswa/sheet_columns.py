"""The columns of the sheets of an XLSX file: titles and widths."""

from flask_babel import gettext as _

from myukm.domain.siswa.filter_labels import NAMES
from myukm.domain.xlsx_output import Column

PLACED = ("unit", "kelas", "asrama", "kamar", "diniyah")


def of_students() -> list[Column]:
    """Return the columns of the sheet of students."""
    names = [Column("ID", 12), Column(_("Nama"), 32), *(Column(str(NAMES[n]), 16) for n in PLACED)]
    amounts = [Column(title, 16) for title in (_("Tunggakan"), _("Lebih bayar"), _("Bersih"))]
    return [*names, *amounts, Column(_("Status"), 24), Column(_("Disinkronkan"), 20)]


def of_bills() -> list[Column]:
    """Return the columns of the sheet of bills."""
    names = (Column("ID", 12), Column(_("Nama"), 32), Column(_("Periode"), 12))
    bill = (Column(_("Kelas"), 14), Column(_("Jenis tagihan"), 20), Column(_("Tagihan"), 32))
    amounts = (Column(title, 16) for title in (_("Jumlah"), _("Dibayar"), _("Sisa")))
    return [*names, *bill, *amounts]


def of_groups(group: str) -> list[Column]:
    """Return the columns of the sheet of groups (one of `GROUPS`)."""
    amounts = (Column(title, 18) for title in (_("Tunggakan"), _("Lebih bayar"), _("Bersih")))
    return [Column(str(NAMES[group]), 28), Column(_("Siswa"), 10), *amounts]
