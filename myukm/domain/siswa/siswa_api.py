"""The payment API's roster: `GET /siswa`, asked once, with every failure in words."""

import asyncio
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _

from myukm.domain.api.failures import Failure, Kind
from myukm.domain.api.payment_api import PaymentApi
from myukm.domain.api.roster import Roster
from myukm.domain.siswa.siswa_rows import COLUMN_OF
from myukm.errors import DomainError, Unavailable


def fetch() -> list[dict[str, Any]]:
    """Return every student of the payment API, keyed by our columns.

    Raises `Unavailable` when it does not answer, refuses, answers something else, or only a part.
    """
    answer = asyncio.run(_ask())
    if isinstance(answer, Failure):
        raise _refused(answer)
    if not answer:
        raise _failure("no_students", _("menjawab tanpa satu siswa pun"))
    return [
        {COLUMN_OF[k.lower()]: v for k, v in student.items() if k.lower() in COLUMN_OF}
        for student in answer
    ]


async def _ask() -> Roster | Failure:
    async with PaymentApi(current_app.config) as api:
        return await api.roster()


def _refused(failure: Failure) -> DomainError:
    if failure.kind in (Kind.UNAUTHORIZED, Kind.FORBIDDEN):
        return _failure("unauthorized", _("menolak token (PEMBAYARAN_API_TOKEN)"))
    if failure.http:
        return _failure("bad_status", _("menjawab %(status)d", status=failure.http))
    seconds = current_app.config["PEMBAYARAN_API_TIMEOUT"]
    if failure.code == "connection" and "Certificate" in failure.detail:
        return _failure("connection", _("memakai sertifikat yang tidak dipercaya"))
    words = {
        "timeout": _("tidak menjawab dalam %(seconds)g detik", seconds=seconds),
        "connection": _("tidak bisa dihubungi (%(why)s)", why=failure.detail),
        "too_large": _("menjawab lebih dari 128 MB"),
        "invalid_body": _("menjawab dengan yang tidak dapat dipakai: %(why)s", why=failure.detail),
    }
    other = _("menjawab dengan yang tidak dapat dibaca; sebabnya ada di log")
    return _failure(failure.code, words.get(failure.code, other))


def _failure(code: str, what: Any) -> DomainError:
    address = current_app.config["PEMBAYARAN_API_URL"]
    message = _("API pembayaran (%(address)s) %(what)s.", address=address, what=what)
    return Unavailable(message, code=code)
