"""A look at the payment API before a run: is it there, does it take our token, one student."""

import asyncio
from typing import NamedTuple

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from myukm.addresses import shown
from myukm.domain.api.failures import Failure, Kind, message
from myukm.domain.api.payment_api import PaymentApi
from myukm.domain.api.payments import Answer, Payments
from myukm.extensions import db
from myukm.models import Siswa

NOBODY = "-"


class Finding(NamedTuple):
    """One thing that was looked at, and what was seen."""

    good: bool
    text: str


def check() -> list[Finding]:
    """Ask for one student (the first) and return what that shows, the worst last."""
    idperson = db.session.scalar(select(Siswa.idperson).where(Siswa.active).order_by(Siswa.id))
    answer = asyncio.run(_ask(idperson or NOBODY))
    url = shown(current_app.config["PEMBAYARAN_API_URL"])
    if isinstance(answer, Failure) and answer.down and not answer.http:
        return [Finding(False, f"{url}: {message(answer)}")]
    findings = [Finding(True, _("%(url)s menjawab.", url=url))]
    if isinstance(answer, Failure) and answer.kind in (Kind.UNAUTHORIZED, Kind.FORBIDDEN):
        refused = _("Token ditolak (HTTP %(status)d).", status=answer.http)
        return [*findings, Finding(False, refused)]
    if (
        not isinstance(answer, Failure) or answer.http
    ):  # an answer we cannot read may be about the token
        findings.append(Finding(True, _("Token diterima.")))
    return [*findings, _about_student(idperson, answer)]


def _about_student(idperson: str | None, answer: Answer) -> Finding:
    if idperson is None:
        return Finding(False, _("Belum ada siswa. Jalankan: flask siswa import --from-api"))
    if isinstance(answer, Failure):
        text = _("Siswa %(id)s: %(why)s", id=idperson, why=message(answer))
        return Finding(False, text)
    count = len(answer.periods) if isinstance(answer, Payments) else 0
    return Finding(True, _("Siswa %(id)s terbaca: %(n)d periode.", id=idperson, n=count))


async def _ask(idperson: str) -> Answer:
    async with PaymentApi(current_app.config) as api:
        return await api.payments(idperson)
