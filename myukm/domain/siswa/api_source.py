"""Reads the payment API's roster (`GET /siswa`); every failure becomes a sentence for people."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import current_app
from flask_babel import lazy_gettext as _

from myukm.db.session import release_connection
from myukm.domain.payment_api.client import PaymentApi
from myukm.domain.payment_api.errors import Action, Failure
from myukm.domain.payment_api.roster import Roster
from myukm.domain.siswa.fields import REQUIRED, FirstMentions, Values, clean, column_of, readable_id
from myukm.domain.text_normalization import clean_line
from myukm.errors import DomainError, Invalid, Unavailable
from myukm.logs.redaction import shown

MAX_SHOWN = 60


class ApiRoster(NamedTuple):
    """The valid students; the ids that the roster mentions (also in bad rows); the rejected rows.

    `whole`: the id of every row is readable. Otherwise nobody may be counted as gone.
    """

    students: Sequence[Values]
    mentions: FirstMentions
    left_out: Sequence[Any]
    whole: bool


def read() -> ApiRoster:
    """Fetch all students from the payment API and check each.

    Raises as `fetch`, and `Invalid` if every row is bad.
    """
    students, mentions = dict[str, Values](), FirstMentions()
    left_out, whole = list[Any](), True
    for number, raw in enumerate(fetch(), 1):
        try:
            values = clean(raw)
            if mentions.add(number, values):
                students[values["idperson"]] = values
        except Invalid as error:
            left_out.append(_about(number, raw, error.message))
            if idperson := readable_id(raw):
                mentions.reject(number, idperson)
                students.pop(idperson, None)
            else:
                whole = False
    if left_out and not students:
        raise Invalid(left_out[0], code="bad_row")
    if not whole:
        left_out.append(_("Ada siswa tanpa idperson: tidak ada yang menjadi nonaktif."))
    return ApiRoster(tuple(students.values()), mentions, tuple(left_out), whole)


def _about(number: int, raw: Mapping[str, Any], reason: Any) -> Any:
    named = [clean_line(str(raw[name]))[:MAX_SHOWN] for name in REQUIRED if raw.get(name)]
    who = ", ".join(reversed(named)) or "?"
    return _(
        "Siswa ke-%(n)d dari API pembayaran (%(who)s): %(reason)s",
        n=number,
        who=who,
        reason=reason,
    )


def fetch() -> list[dict[str, Any]]:
    """Return every student of the payment API, as dicts keyed by our columns.

    Raises `Unavailable` if it does not answer, refuses, or sends anything but a complete roster.
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
    words = {
        "timeout": _("tidak menjawab dalam %(seconds)g detik", seconds=seconds),
        "connection": _("tidak bisa dihubungi (%(why)s)", why=failure.detail),
        "too_large": _("menjawab lebih dari 128 MB"),
        "invalid_body": _("menjawab dengan yang tidak dapat dipakai: %(why)s", why=failure.detail),
    }
    other = _("menjawab dengan yang tidak dapat dibaca; sebabnya ada di log")
    return _failure(failure.code, words.get(failure.code, other))


def _failure(code: str, what: Any) -> DomainError:
    address = shown(current_app.config["PEMBAYARAN_API_URL"])
    message = _("API pembayaran (%(address)s) %(what)s.", address=address, what=what)
    return Unavailable(message, code=code)
