"""The payment API's tags (ETag): what we have under one need not be sent again for a while.

For a while only: an API that forgets to change a tag would otherwise be believed for ever. A tag
is kept with the mark of the address it came from: to another API it may mean other data.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from myukm.database import utcnow
from myukm.domain.api.payments import Payments
from myukm.domain.api.student import Outcome
from myukm.models import Siswa


def fresh(session: Session, idpersons: Iterable[str]) -> dict[str, str]:
    """Return, by student, the tags that may be sent: young ones of data that is still there."""
    now = utcnow()
    longest = timedelta(hours=current_app.config["PEMBAYARAN_API_ETAG_HOURS"])
    query = select(Siswa.idperson, Siswa.etag).where(
        Siswa.idperson.in_(list(idpersons)),
        Siswa.etag.startswith(_mark()),
        Siswa.digest.is_not(None),
        Siswa.etag_at.between(now - longest, now),
    )
    rows = session.execute(query).all() if longest else []
    return {row.idperson: row.etag.removeprefix(_mark()) for row in rows if row.etag}


def outdated(session: Session, outcomes: Iterable[Outcome]) -> list[int]:
    """Return the items of answers "not modified" to a tag that is not our data's any more.

    Another one wrote since it was sent: such an answer says nothing about what we have now.
    """
    sent = {o.idperson: o for o in outcomes if o.etag is not None}
    if not sent:
        return []
    query = select(Siswa.idperson, Siswa.etag).where(Siswa.idperson.in_(sent))
    rows = session.execute(query.order_by(Siswa.id).with_for_update()).all()
    return [sent[idperson].item_id for idperson, tag in rows if tag != marked(sent[idperson].etag)]


def marked(etag: str | None) -> str | None:
    """Return a tag as it is stored."""
    return etag and _mark() + etag


def keep(session: Session, answers: Mapping[int, Payments | None]) -> None:
    """Note the tags of answers, given by the student's row, that brought nothing else new."""
    now = utcnow()
    rows: list[dict[str, Any]] = [
        {"key": key, "etag": marked(answer.etag), "etag_at": now}
        for key, answer in answers.items()
        if answer is not None and answer.etag is not None
    ]
    if rows:
        table = cast(Table, Siswa.__table__)
        session.execute(update(table).where(table.c.id == bindparam("key")), rows)


def _mark() -> str:
    return sha256(current_app.config["PEMBAYARAN_API_URL"].encode()).hexdigest()[:12] + " "
