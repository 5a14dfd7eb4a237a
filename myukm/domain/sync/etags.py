"""ETags of the payment API: unchanged payments need not be transferred again.

A tag is used for `PEMBAYARAN_API_ETAG_HOURS` only, because otherwise an API that forgets to change
a tag would be believed for ever. A tag is stored with a digest of the API's address, because
another API may use the same tag for other data.
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
    """Return the usable tags by idperson: recent tags of students whose data is stored."""
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
    """Return a tag in stored form, with the prefix of the API's address."""
    return etag and _api_prefix() + etag


def save(session: Session, unchanged: Iterable[Item]) -> None:
    """Save the new tags of unchanged payments."""
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
