"""Preflight check of the payment API: reachable, token accepted, one student readable."""

import asyncio
from typing import NamedTuple

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from myukm.db.session import release_connection
from myukm.domain.payment_api.client import PaymentApi
from myukm.domain.payment_api.errors import Action, Failure, message
from myukm.domain.payment_api.parser import Answer, Payments
from myukm.extensions import db
from myukm.logs.redaction import shown
from myukm.models import Siswa

NOBODY = "-"  # an id that no student has


class CheckResult(NamedTuple):
    """One checked aspect and its result."""

    ok: bool
    text: str


def check() -> list[CheckResult]:
    """Fetch the first active student and return the results; the first failure ends the check."""
    idperson = first_student()
    answer = request(idperson or NOBODY)
    url = shown(current_app.config["PEMBAYARAN_API_URL"])
    if isinstance(answer, Failure) and answer.counts_as_outage and not answer.http:
        return [CheckResult(False, f"{url}: {message(answer)}")]
    results = [CheckResult(True, _("%(url)s menjawab.", url=url))]
    if isinstance(answer, Failure) and answer.action is Action.UNAUTHORIZED:
        refused = _("Token ditolak (HTTP %(status)d).", status=answer.http)
        return [*results, CheckResult(False, refused)]
    if _token_was_accepted(answer):
        results.append(CheckResult(True, _("Token diterima.")))
    return [*results, _student_result(idperson, answer)]


def _token_was_accepted(answer: Answer) -> bool:
    """Return whether the answer proves that the API accepted the token.

    5xx, 429 and unreadable answers prove nothing. Nor does 403, which may refuse the student or
    the token.
    """
    if not isinstance(answer, Failure):
        return True
    return answer.http is not None and 400 <= answer.http < 500 and answer.http not in (403, 429)


def _student_result(idperson: str | None, answer: Answer) -> CheckResult:
    if idperson is None:
        if isinstance(answer, Failure) and answer.code != "not_found":
            return CheckResult(False, str(message(answer)))
        return CheckResult(False, _("Belum ada siswa. Jalankan: ./run siswa import --from-api"))
    if isinstance(answer, Failure):
        text = _("Siswa %(id)s: %(why)s", id=idperson, why=message(answer))
        return CheckResult(False, text)
    count = len(answer.periods) if isinstance(answer, Payments) else 0
    return CheckResult(True, _("Siswa %(id)s terbaca: %(n)d periode.", id=idperson, n=count))


def first_student() -> str | None:
    """Return the first active student's `idperson`, None without students."""
    first = select(Siswa.idperson).where(Siswa.active).order_by(Siswa.id).limit(1)
    found = db.session.scalar(first)
    release_connection()
    return found


def request(idperson: str) -> Answer:
    """Request a student's payments once and return the answer. Blocks until it comes."""

    async def ask() -> Answer:
        async with PaymentApi(current_app.config) as api:
            return await api.payments(idperson)

    return asyncio.run(ask())
