"""A student as sources give it: which fields there are, and what a good value is."""

from collections.abc import Mapping
from typing import Any, cast

from flask_babel import lazy_gettext as _
from sqlalchemy import String

from myukm.errors import Invalid
from myukm.models import Siswa

# The payment API's names and our columns.
FIELDS = {
    "idperson": "idperson",
    "nama": "nama",
    "gender": "gender",
    "lahirtempat": "lahirtempat",
    "lahirtanggal": "lahirtanggal",
    "phone": "phone",
    "UnitFormal": "unit_formal",
    "KelasFormal": "kelas_formal",
    "AsramaPondok": "asrama_pondok",
    "KamarPondok": "kamar_pondok",
    "TingkatDiniyah": "tingkat_diniyah",
    "KelasDiniyah": "kelas_diniyah",
}
COLUMNS = tuple(FIELDS.values())
REQUIRED = ("idperson", "nama")
COLUMN_OF = {name.lower(): column for name, column in FIELDS.items()} | {c: c for c in COLUMNS}
LENGTHS = {name: cast(String, Siswa.__table__.c[name].type).length or 0 for name in COLUMNS}

Values = dict[str, str]


def clean(raw: Mapping[str, Any]) -> Values:
    """Return a student's columns as they are stored, only those that `raw` has.

    `raw` is keyed by column. Texts lose spaces at their ends, doubled ones and what can't be
    printed; an id is kept to the letter. Raises `Invalid`.
    """
    values = {column: _text(column, raw[column]) for column in COLUMNS if column in raw}
    for column in REQUIRED:
        if not values.get(column):
            raise Invalid(_("%(field)s kosong.", field=column), code="bad_row")
    if not values["idperson"].isprintable() or not values["idperson"].strip("."):
        raise Invalid(_("idperson berisi karakter yang tidak bisa dipakai."), code="bad_row")
    return values


def _text(column: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Invalid(_("%(field)s bukan teks.", field=column), code="bad_row")
    text = str(value).strip()
    if column != "idperson":
        shown = (c for c in text if c.isprintable() or c.isspace())
        text = " ".join("".join(shown).split())
    if len(text) > LENGTHS[column]:
        message = _("%(field)s lebih dari %(n)d karakter.", field=column, n=LENGTHS[column])
        raise Invalid(message, code="bad_row")
    return text
