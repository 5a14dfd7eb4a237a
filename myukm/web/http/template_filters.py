"""Template filters for money, numbers and times, and the context of every template."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from flask import Flask, current_app, render_template, request, url_for
from flask_babel import format_date, format_datetime, format_decimal, get_locale
from flask_babel import gettext as _
from flask_login import current_user
from markupsafe import Markup

from myukm.cooperative import cooperatively
from myukm.db.types import to_iso8601, utcnow
from myukm.domain.files import quotas
from myukm.domain.payment_api import amounts
from myukm.domain.siswa.amount_words import in_words
from myukm.domain.sync import progress
from myukm.domain.sync.status_labels import run_status, statuses
from myukm.i18n import template_gettext
from myukm.sentences import localized, stored_sentence
from myukm.web import message_rows
from myukm.web.http.access import ADMINS, OPERATORS, TREASURERS, VIEWERS

HALF_A_SEN = Decimal("0.005")
SCHOOL_YEAR = re.compile(r"(\d{4})(\d{4})")


def init_app(app: Flask) -> None:
    """Register the filters and the context processor."""
    app.jinja_env.filters.update(
        rupiah=rupiah,
        angka=angka,
        waktu=waktu,
        periode=periode,
        tanggal=tanggal,
        sen=sen,
        saat=saat,
        jam=jam,
        detik=detik,
        terbilang=terbilang,
        cooperatively=cooperatively,
        ukuran=quotas.in_words,
        rendered=message_rows.rendered,
        stored_sentence=stored_sentence,
    )
    app.jinja_env.globals.update(
        run_status=run_status, run_statuses=statuses, rendered_once=rendered_once
    )
    app.context_processor(page_context)


def rupiah(amount: Decimal | float | str | None) -> str:
    """Return an amount as `Rp 1.250.000` (sen only if there are any), "–" for None."""
    if amount is None:
        return "–"
    value = Decimal(str(amounts.number(amount) if isinstance(amount, str) else amount))
    if abs(value - (whole := value.to_integral_value())) < HALF_A_SEN:
        value = whole
    pattern = "#,##0" if value == whole else "#,##0.00"
    return ("-" if value < 0 else "") + "Rp\u00a0" + str(format_decimal(abs(value), format=pattern))


def sen(amount: int) -> str:
    """Return an amount in sen as `Rp 1.250.000`."""
    return rupiah(Decimal(amount) / 100)


def terbilang(amount: int) -> str:
    """Return an amount in sen in words."""
    return in_words(amount, str(get_locale()))


def angka(number: float | None) -> str:
    """Return a number with the reader's thousands separators, "–" for None."""
    return "–" if number is None else str(format_decimal(number))


def periode(period_id: object) -> str:
    """Return a school year of eight digits as `2025/2026`, any other period as it is."""
    found = SCHOOL_YEAR.fullmatch(str(period_id))
    if found and int(found[2]) == int(found[1]) + 1:
        return f"{found[1]}/{found[2]}"
    return str(period_id)


def tanggal(day: str) -> str:
    """Return an ISO date as `26 Jan 2006`, anything else that the payment API sent as it is."""
    try:
        return str(format_date(date.fromisoformat(day), _("d MMM y")))
    except ValueError:
        return day


def waktu(moment: datetime | str | None) -> Markup:
    """Return a `<time>` in the campus's time zone, which the page's script shows as relative."""
    if moment is None:
        return Markup("–")
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat().replace("+00:00", "Z"),
        format_datetime(moment, _("d MMMM y HH.mm.ss")),
        format_datetime(moment, _("d MMM y HH.mm")),
    )


def saat(moment: datetime) -> str:
    """Return a time in the campus's time zone, which the page's script does not make relative."""
    return str(format_datetime(moment, _("d MMM y HH.mm")))


def jam(moment: datetime) -> str:
    """Return the time of day, in the campus's time zone."""
    return str(format_datetime(moment, _("HH.mm")))


def detik(moment: str) -> str:
    """Return the time of day with seconds of an ISO 8601 time, in the campus's time zone."""
    return str(format_datetime(datetime.fromisoformat(moment), _("HH.mm.ss")))


def rendered_once(template: str) -> Markup:
    """Return the markup of a template that is the same for everybody, cached by language."""
    if current_app.debug:
        _rendered_once.cache_clear()  # so that a changed template is seen
    return _rendered_once(template, str(get_locale()))


@cache
def _rendered_once(template: str, _lang: str) -> Markup:
    return Markup(render_template(template))  # noqa: S704 (a template escapes what it shows)


def page_context() -> dict[str, Any]:
    """Return the variables of every template: texts, language, navigation, time, live run."""
    translate = template_gettext()
    return {
        "_": translate,
        "lang": str(get_locale()),
        "nav": navigation(translate),
        "now": to_iso8601(utcnow()),
        "printed_at": lambda: saat(utcnow()),
        "live_run": live_run,
    }


def live_run() -> dict[str, Any] | None:
    """Return the progress object of the live run, for the bar on the pages of staff."""
    run = progress.live()
    return localized(progress.for_run(run)) if run else None


def navigation(_: Callable[..., Markup]) -> list[dict[str, Any]]:
    """Return the navigation links of the user's role; `_` translates their labels."""
    if not current_user.is_authenticated:
        return []
    role, here = current_user.role, request.endpoint or ""
    is_linked = current_user.user.idperson is not None
    everyone = tuple({*VIEWERS, "anggota"})
    links = (
        ("ukm.index", _("UKM"), "chat", everyone),
        *([("my_bills.show", _("Tagihan saya"), "money", everyone)] if is_linked else []),
        ("admin_siswa.index", _("Siswa"), "students", VIEWERS),
        ("admin_sync.index", _("Sinkronisasi"), "sync", VIEWERS),
        ("admin_tunggakan.index", _("Tunggakan"), "money", TREASURERS),
        ("admin_penerimaan.index", _("Penerimaan"), "income", TREASURERS),
        ("admin_queues.index", _("Antrian"), "queue", OPERATORS),
        ("admin_log.index", _("Log"), "history", OPERATORS),
        ("admin_users.index", _("Pengguna"), "users", ADMINS),
        ("admin_ukm.index", _("Kelola UKM"), "units", ADMINS),
        ("admin_audit.index", _("Jejak audit"), "audit", ADMINS),
    )
    return [
        {
            "url": (url := url_for(endpoint)),
            "label": label,
            "icon": icon,
            "active": here.startswith(endpoint.split(".")[0]) or request.path.startswith(f"{url}/"),
        }
        for endpoint, label, icon, allowed in links
        if role in allowed
    ]
