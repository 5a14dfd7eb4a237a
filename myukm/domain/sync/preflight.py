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

NOBODY = "-"


class CheckResult(NamedTuple):
    """One checked aspect and its result."""

    ok: bool
    text: str


def check() -> list[CheckResult]:
    """Fetch the first student and return the results of the checks, the worst last."""
    idperson = db.session.scalar(select(Siswa.idperson).where(Siswa.active).order_by(Siswa.id))
    release_connection()
    answer = asyncio.run(_ask(idperson or NOBODY))
    url = shown(current_app.config["PEMBAYARAN_API_URL"])
    if isinstance(answer, Failure) and answer.counts_as_outage and not answer.http:
        return [CheckResult(False, f"{url}: {message(answer)}")]
    findings = [CheckResult(True, _("%(url)s menjawab.", url=url))]
    if isinstance(answer, Failure) and answer.action in (Action.UNAUTHORIZED, Action.FORBIDDEN):
        refused = _("Token ditolak (HTTP %(status)d).", status=answer.http)
        return [*findings, CheckResult(False, refused)]
    if _is_past_the_token(answer):
        findings.append(CheckResult(True, _("Token diterima.")))
    return [*findings, _about_student(idperson, answer)]


def _is_past_the_token(answer: Answer) -> bool:
    """Return whether the API has looked at the token: a proxy before it, or one that is broken or
    busy, has not, and an answer we cannot read may be about the token."""
    if not isinstance(answer, Failure):
        return True
    return answer.http is not None and 400 <= answer.http < 500 and answer.http != 429


def _about_student(idperson: str | None, answer: Answer) -> CheckResult:
    if idperson is None:
        return CheckResult(False, _("Belum ada siswa. Jalankan: ./run siswa import --from-api"))
    if isinstance(answer, Failure):
        text = _("Siswa %(id)s: %(why)s", id=idperson, why=message(answer))
        return CheckResult(False, text)
    count = len(answer.periods) if isinstance(answer, Payments) else 0
    return CheckResult(True, _("Siswa %(id)s terbaca: %(n)d periode.", id=idperson, n=count))


async def _ask(idperson: str) -> Answer:
    async with PaymentApi(current_app.config) as api:
        return await api.payments(idperson)
