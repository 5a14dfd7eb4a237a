"""The fields of a student in a roster, and their validation."""

from collections.abc import Mapping
from typing import Any, cast

from flask_babel import lazy_gettext as _
from sqlalchemy import String

from myukm.domain.accounts.account_rules import NIM, normal_nim
from myukm.domain.csv_table import heading, is_mangled
from myukm.errors import Invalid
from myukm.models import Siswa

# The payment API's field names and our columns.
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
# An imported file may also have the NIM of the student's account.
ALL_COLUMNS = (*COLUMNS, "nim")
REQUIRED = ("idperson", "nama")
_COLUMN_OF = {heading(name): column for name, column in FIELDS.items()}
LENGTHS = {name: cast(String, Siswa.__table__.c[name].type).length or 0 for name in ALL_COLUMNS}

Values = dict[str, str]


def column_of(name: str) -> str | None:
    """Return our column for a field name such as `KelasFormal` or `kelas_formal`, else None."""
    return _COLUMN_OF.get(heading(name))


def clean(raw: Mapping[str, Any]) -> Values:
    """Return a student's columns in stored form, only those that `raw` contains.

    `raw` is keyed by column. Texts are trimmed, and lose repeated spaces and unprintable
    characters; an id stays exactly as it is. Raises `Invalid`.
    """
    values = {column: _text(column, raw[column]) for column in ALL_COLUMNS if column in raw}
    for column in REQUIRED:
        if not values.get(column):
            raise Invalid(_("%(field)s kosong.", field=column), code="bad_row")
    check_id(values["idperson"])
    if values.get("nim"):
        values["nim"] = normal_nim(values["nim"])
        if not NIM.fullmatch(values["nim"]):
            raise Invalid(_("nim %(nim)s bukan NIM.", nim=values["nim"]), code="bad_row")
    return values


def check_id(idperson: str) -> None:
    """Raise `Invalid` for a text that cannot be an id."""
    if not idperson.isprintable() or not idperson.strip("."):
        raise Invalid(_("idperson berisi karakter yang tidak bisa dipakai."), code="bad_row")
    if is_mangled(idperson):
        message = _(
            "idperson %(id)s adalah angka yang diubah spreadsheet. Atur kolomnya sebagai teks.",
            id=idperson,
        )
        raise Invalid(message, code="bad_row")


def readable_id(raw: Mapping[str, Any]) -> str | None:
    """Return the id of a row even if its other fields are bad, None if it has no valid id."""
    try:
        idperson = _text("idperson", raw.get("idperson"))
        check_id(idperson)
    except Invalid:
        return None
    return idperson or None


class FirstMentions:
    """Remembers the students that a roster has named so far, to find repeated rows."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[int, int | None]] = {}

    def add(self, number: int, values: Values) -> bool:
        """Return whether row `number` names a new student; False if it repeats an earlier row.

        Raises `Invalid` if an earlier row has other values for the student.
        """
        idperson, content = values["idperson"], hash(tuple(values.items()))
        first, before = self._first.setdefault(idperson, (number, content))
        if content != before:
            message = _("idperson %(id)s sudah ada di nomor %(first)s.", id=idperson, first=first)
            raise Invalid(message, code="bad_row")
        return first == number

    def reject(self, number: int, idperson: str) -> bool:
        """Reject a student because of the bad row `number`: the student's other rows are bad, too.

        Return whether the student was valid until now.
        """
        first, content = self._first.get(idperson, (number, None))
        self._first[idperson] = (first, None)
        return content is not None

    def __contains__(self, idperson: object) -> bool:
        return idperson in self._first


def _text(column: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise Invalid(_("%(field)s bukan teks.", field=column), code="bad_row")
    text = str(value).strip()
    if column != "idperson":
        if not text.isprintable():
            text = "".join(c for c in text if c.isprintable() or c.isspace())
        text = " ".join(text.split())
    if len(text) > LENGTHS[column]:
        message = _("%(field)s lebih dari %(n)d karakter.", field=column, n=LENGTHS[column])
        raise Invalid(message, code="bad_row")
    return text
