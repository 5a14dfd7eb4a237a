"""Reads the payment API's roster (`GET /siswa`); every failure becomes a sentence for people."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _

from myukm.db.session import release_connection
from myukm.domain.payment_api.client import PaymentApi
from myukm.domain.payment_api.errors import Action, Failure, why
from myukm.domain.payment_api.roster import Roster
from myukm.domain.roster.reader import Problem, RawRow
from myukm.domain.siswa.fields import column_of
from myukm.errors import DomainError, Unavailable
from myukm.logs.redaction import shown


def rows(students: Iterable[Mapping[str, Any]]) -> Iterator[RawRow]:
    """Yield the students that `fetch` returned, each with its number in the API's answer."""
    for number, raw in enumerate(students, 1):
        yield RawRow(number, raw)


def describe(problem: Problem) -> Any:
    """Return a wrong row of the API as a sentence."""
    return _(
        "Siswa ke-%(n)d dari API pembayaran (%(who)s): %(reason)s",
        n=problem.line,
        who=problem.who,
        reason=problem.reason,
    )


def fetch() -> list[dict[str, Any]]:
    """Return every student of the payment API, as dicts keyed by our columns.

    Raises `Unavailable` if the API does not respond, refuses, or sends anything but a complete
    roster.
    """
    release_connection()
    answer = asyncio.run(_ask())
    if isinstance(answer, Failure):
        raise _refused(answer)
    if not answer:
        raise _failure("no_students", _("menjawab tanpa satu siswa pun"))
    return [
        {column: value for name, value in student.items() if (column := column_of(name))}
        for student in answer
    ]


async def _ask() -> Roster | Failure:
    async with PaymentApi(current_app.config) as api:
        return await api.roster()


def _refused(failure: Failure) -> DomainError:
    if failure.action in (Action.UNAUTHORIZED, Action.FORBIDDEN):
        return _failure("unauthorized", _("menolak token (PEMBAYARAN_API_TOKEN)"))
    if failure.http:
        return _failure("bad_status", _("menjawab %(status)d", status=failure.http))
    seconds = current_app.config["PEMBAYARAN_API_TIMEOUT"]
    if failure.code == "connection" and "Certificate" in failure.detail:
        return _failure("connection", _("memakai sertifikat yang tidak dipercaya"))
    texts = {
        "timeout": _("tidak menjawab dalam %(seconds)g detik", seconds=seconds),
        "connection": _("tidak bisa dihubungi (%(why)s)", why=why(failure)),
        "too_large": _("menjawab lebih dari 128 MB"),
        "invalid_body": _("menjawab dengan yang tidak dapat dipakai: %(why)s", why=why(failure)),
    }
    unreadable = _("menjawab dengan yang tidak dapat dibaca; sebabnya ada di log")
    return _failure(failure.code, texts.get(failure.code, unreadable))


def _failure(code: str, what: Any) -> DomainError:
    address = shown(current_app.config["PEMBAYARAN_API_URL"])
    message = _("API pembayaran (%(address)s) %(what)s.", address=address, what=what)
    return Unavailable(message, code=code)
