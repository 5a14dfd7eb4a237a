"""Checks that the database accepts writes, and that a process leads: the leader writes a heartbeat
every second."""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from flask import current_app
from flask_babel import lazy_gettext as _
from redis.exceptions import RedisError
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from myukm.db import troubles
from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.extensions import db, valkey
from myukm.models import Installation, LeaderLease
from myukm.ops.findings import BROKEN, Finding
from myukm.queues.workers import snapshot

KEY = "myukm:database:trouble:{}"  # by kind; the error's text
SHARE_SECONDS, RECENT_SECONDS = 2.0, 30.0
# A dead leader is replaced within 5 s, or within 8 s if no process reaches Valkey. Above a load of
# `LOAD_PER_CORE` everything takes longer, so the limit is multiplied, by at most `MAX_STRETCH`.
MAX_LEADERLESS = timedelta(seconds=12)
LOAD_PER_CORE, MAX_STRETCH = 2.0, 3.0


def refuses_writes() -> Iterator[Finding]:
    """A database that refuses writes or new connections: read-only, full, corrupt, locked."""
    seen: troubles.Troubles = current_app.extensions["database_troubles"]
    if seen.file_was_replaced():
        yield replaced()
        return
    found = {**_shared(), **seen.recent(RECENT_SECONDS)}
    try:
        with transaction() as session:
            session.execute(update(Installation).values(writes=Installation.writes + 1))
    except SQLAlchemyError as error:
        if kind := troubles.kind_of(error):
            found[kind] = troubles.why(error)
    yield from findings(found)


def share() -> None:
    """Publish this process's database errors in Valkey, because the doctor may run in another
    process. A periodic task."""
    seen: troubles.Troubles = current_app.extensions["database_troubles"]
    for kind, text in seen.recent(SHARE_SECONDS).items():
        valkey().set(KEY.format(kind), text, ex=round(RECENT_SECONDS))


def _shared() -> dict[str, str]:
    try:
        kinds = sorted(troubles.LASTING)
        texts = cast(list[bytes | None], valkey().mget(map(KEY.format, kinds)))
    except RedisError:
        return {}
    return {kind: text.decode() for kind, text in zip(kinds, texts, strict=True) if text}


def nobody_leads() -> Iterator[Finding]:
    """No process runs the leader tasks: runs, alerts and retention stand still."""
    led_at = db.session.scalar(select(LeaderLease.led_at)) or _first_worker()
    if led_at is not None and utcnow() - led_at > _stretch() * MAX_LEADERLESS:
        yield Finding(
            "nobody_leads",
            BROKEN,
            _("Tidak ada proses yang berjaga: peringatan dan pemeliharaan berhenti."),
            _(
                "Jalankan %(web)s atau %(worker)s; bila sudah berjalan, sebabnya ada di lognya.",
                web="./run web",
                worker="./run worker",
            ),
            led_at,
        )


def _stretch() -> float:
    """Return the factor by which an overloaded machine gets more time."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return min(max(1.0, load / LOAD_PER_CORE), MAX_STRETCH)


def _first_worker() -> datetime | None:
    """Return when the first of the living workers started, for a database in which no process has
    led yet; None without workers."""
    starts = [worker.started_at for worker in snapshot().workers if worker.alive]
    return min((moment for moment in starts if moment), default=None)


def locked() -> Finding:
    """Return the finding about a lock on the database, a table or a row that is held too long."""
    return Finding(
        "database_locked",
        BROKEN,
        _("Basis data menjawab, tetapi sebuah kunci di dalamnya dipegang lebih dari 3 detik."),
        _("Akhiri transaksi atau proses yang memegang kunci itu."),
    )


def replaced() -> Finding:
    """Return the finding about an SQLite file that is no longer where it was opened."""
    return Finding(
        "database_replaced",
        BROKEN,
        _(
            "File basis data dipindah, dihapus atau diganti selagi program berjalan: yang ditulis "
            "sekarang akan hilang."
        ),
        _(
            "Kembalikan file itu (beserta -wal dan -shm) ke tempatnya, lalu jalankan ulang web dan "
            "worker."
        ),
    )


def findings(found: Mapping[str, str]) -> Iterator[Finding]:
    """Yield a finding for each kind of trouble (`db/troubles.py`), with the database's error text
    by kind."""
    if troubles.READONLY in found:
        what = _("Basis data hanya bisa dibaca: %(why)s", why=found[troubles.READONLY])
        cure = _(
            "Arahkan DATABASE_URL ke server utama, atau beri akun layanan hak tulis atas file "
            "basis data dan foldernya."
        )
        yield Finding("database_readonly", BROKEN, what, cure)
    if troubles.FULL in found:
        what = _("Disk basis data penuh: %(why)s", why=found[troubles.FULL])
        cure = _("Kosongkan ruang di disk basis data; program jalan lagi dengan sendirinya.")
        yield Finding("database_full", BROKEN, what, cure)
    if troubles.CORRUPT in found:
        what = _("Basis data rusak: %(why)s", why=found[troubles.CORRUPT])
        cure = _("Hentikan web dan worker, simpan data yang rusak, lalu pulihkan cadangan.")
        yield Finding("database_corrupt", BROKEN, what, cure)
    if troubles.CONNECTIONS in found:
        what = _("Basis data menolak sambungan baru: %(why)s", why=found[troubles.CONNECTIONS])
        cure = _("Naikkan max_connections, kurangi WEB_CONCURRENCY, atau pasang PgBouncer.")
        yield Finding("database_too_many_connections", BROKEN, what, cure)
    if troubles.LOCKED in found:
        yield locked()
