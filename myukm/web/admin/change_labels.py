"""Translated labels for changes of a student's payments, and for figures that disagree."""

from typing import Any

from flask import Flask
from flask_babel import gettext as _
from flask_babel import lazy_gettext

from myukm.domain.payment_api.owed import Disagreement
from myukm.domain.siswa.verdict_labels import label
from myukm.domain.sync.diff import AMOUNTS
from myukm.web.http.template_filters import angka, rupiah

MONEY = AMOUNTS | {"saldo", "first"}
WORDS = {
    "amount_billed": lazy_gettext("Tagihan"),
    "amount_paid": lazy_gettext("Dibayar"),
    "remaining_balance": lazy_gettext("Sisa"),
    "total_billed": lazy_gettext("Jumlah tagihan"),
    "total_paid": lazy_gettext("Jumlah dibayar"),
    "total_remaining": lazy_gettext("Jumlah sisa"),
    "fully_paid": lazy_gettext("Lunas"),
    "kelas_info": lazy_gettext("Kelas"),
    "saldo": lazy_gettext("Saldo"),
    "account": lazy_gettext("Data akun lain"),
    "first": lazy_gettext("Pertama kali diambil: sisa tagihan"),
}


def init_app(app: Flask) -> None:
    """Register the template filters for changes."""
    app.jinja_env.filters.update(
        what_changed=what_changed,
        changed_value=changed_value,
        what_disagrees=what_disagrees,
        stated=stated,
        verdict=label,
    )


def what_changed(change: Any) -> str:
    """Return the label of a row of the history, such as `SPP · Juli 2026 · Dibayar`."""
    if change.field == "more":
        return str(_("dan %(n)s perubahan lain", n=angka(int(change.new))))
    *path, name = [part for part in change.field.split("/") if part != "summary"]
    return " · ".join([*path, str(WORDS.get(name, name))])


def changed_value(change: Any, side: str) -> str:
    """Return the value before (`old`) or after (`new`), amounts in rupiah; "–" for none."""
    value, name = getattr(change, side), change.field.rsplit("/", 1)[-1]
    if value is None or name == "more":
        return "–"
    if name == "fully_paid":
        return str(_("ya") if value == "true" else _("belum"))
    return rupiah(value) if name in MONEY and _is_number(value) else value


def what_disagrees(found: Disagreement) -> str:
    """Return the label of a figure that disagrees, such as `SPP · Juli 2026 · Sisa`."""
    return " · ".join([*found.where[1:], str(WORDS[found.field])])


def stated(found: Disagreement) -> str:
    """Return the value that disagrees: an amount in rupiah, or the flag in words."""
    if found.field == "fully_paid":
        return str(_("ya") if found.stated else _("belum"))
    return rupiah(found.stated)


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()
