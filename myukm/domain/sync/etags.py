"""The payment API's tags (ETag): what we have under one need not be sent again for a while.

For a while only: an API that forgets to change a tag would otherwise be believed for ever. A tag
is kept with the mark of the address it came from: to another API it may mean other data.
"""

from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256
from typing import Any, cast

from flask import current_app
from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from myukm.db.types import utcnow
from myukm.domain.payment_api.work_item import Item
from myukm.models import Siswa


def usable(session: Session, idpersons: Iterable[str]) -> dict[str, str]:
    """Return, by student, the tags that may be sent: young ones of data that is still there."""
    now = utcnow()
    max_age = timedelta(hours=current_app.config["PEMBAYARAN_API_ETAG_HOURS"])
    query = select(Siswa.idperson, Siswa.etag).where(
        Siswa.idperson.in_(list(idpersons)),
        Siswa.etag.startswith(_api_prefix()),
        Siswa.digest.is_not(None),
        Siswa.etag_at.between(now - max_age, now),
    )
    rows = session.execute(query).all() if max_age else []
    return {row.idperson: row.etag.removeprefix(_api_prefix()) for row in rows if row.etag}


def with_api_prefix(etag: str | None) -> str | None:
    """Return a tag as it is stored."""
    return etag and _api_prefix() + etag


def save(session: Session, unchanged: Iterable[Item]) -> None:
    """Save the tags that came with payments which we have already."""
    now = utcnow()
    rows: list[dict[str, Any]] = [
        {"key": item.row.id, "etag": with_api_prefix(item.payments.etag), "etag_at": now}
        for item in unchanged
        if item.payments and item.payments.etag
    ]
    if rows:
        table = cast(Table, Siswa.__table__)
        session.execute(update(table).where(table.c.id == bindparam("key")), rows)


def _api_prefix() -> str:
    return sha256(current_app.config["PEMBAYARAN_API_URL"].encode()).hexdigest()[:12] + " "
