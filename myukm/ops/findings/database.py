"""Checks of the database: reachable, fast, migrated, event log within its limits."""

import os
import socket
import time
from collections.abc import Iterator
from datetime import timedelta

from flask import current_app
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnection

from myukm.db import troubles
from myukm.db.engine import POOL_SECONDS, POOL_SIZE
from myukm.db.types import utcnow
from myukm.db.versions import applied_migrations, known_migrations, newest_migration
from myukm.extensions import db
from myukm.live import retention
from myukm.logs.redaction import shown
from myukm.ops.findings import BROKEN, WARNING, Finding, database_writes
from myukm.sentences import lazy_decimal

SLOW_SECONDS = 0.5
# The leader prunes once a minute, so a log that exceeds its limits by more than this is not being
# pruned, or grows faster than it is pruned.
EXCESS_EVENTS, EXCESS_AGE = retention.MAX_EVENTS // 4, timedelta(hours=2)


def unreachable() -> Iterator[Finding]:
    """Database unreachable or slow, or this process has no connection left to ask it."""
    try:
        # The wait for a connection of the pool says nothing about the database.
        connection = db.session.connection()
        began = time.monotonic()
        connection.execute(text("SELECT 1"))
    except NoConnection:
        yield _pool_exhausted()
        return
    except SQLAlchemyError as error:
        db.session.rollback()
        if (kind := troubles.kind_of(error)) in troubles.LASTING:
            yield from database_writes.findings({str(kind): troubles.why(error)})
            return
        yield Finding(
            "database_unreachable",
            BROKEN,
            _(
                "Basis data %(url)s tidak menjawab: %(why)s",
                url=shown(current_app.config["DATABASE_URL"]),
                why=troubles.why(error),
            ),
            _cure(),
        )
        return
    if (seconds := time.monotonic() - began) > SLOW_SECONDS:
        yield Finding(
            "database_slow",
            WARNING,
            _("Basis data butuh %(seconds).1f detik untuk jawaban terkecil.", seconds=seconds),
            _("Periksa beban server basis data dan proses yang menulis lama."),
        )


def _pool_exhausted() -> Finding:
    """Return the finding about a process that uses all connections of its pool. The database may
    work: other processes have their own pools."""
    return Finding(
        "database_pool_exhausted",
        BROKEN,
        _(
            "Proses %(pid)d di %(host)s memakai semua (%(size)d) sambungannya ke basis data, jadi "
            "permintaan di sana ditolak sesudah %(seconds)d detik.",
            pid=os.getpid(),
            host=socket.gethostname(),
            size=POOL_SIZE,
            seconds=POOL_SECONDS,
        ),
        _(
            "Jalankan %(doctor)s di terminal: ia memakai sambungan sendiri dan menyebut kunci atau "
            "sesi yang menahan. Bila tidak ada, mulai lagi proses itu (%(kill)s); bila terulang "
            "saat ramai, naikkan WEB_CONCURRENCY.",
            doctor="./run queue doctor",
            kill=f"kill {os.getpid()}",
        ),
        host=socket.gethostname(),
        pid=os.getpid(),
    )


def _cure() -> LazyString:
    if db.engine.dialect.name != "sqlite":
        return _("Jalankan servernya, atau betulkan DATABASE_URL.")
    return _(
        "Betulkan DATABASE_URL, atau folder file itu: ia harus ada dan bisa ditulisi akun layanan."
    )


def not_answering(seconds: float) -> Finding:
    """Return the finding about a database that accepts connections but has not answered for
    `seconds`."""
    return Finding(
        "database_unreachable",
        BROKEN,
        _(
            "Basis data menerima sambungan tetapi tidak menjawab dalam %(seconds)d detik.",
            seconds=seconds,
        ),
        _("Periksa server basis data: beban, disk, dan lognya; jalankan ulang bila ia macet."),
    )


def outdated() -> Iterator[Finding]:
    """The schema's version differs from the one that this program needs."""
    applied = applied_migrations(db.session.connection())
    if applied != {newest_migration()}:
        yield Finding(
            "migrations",
            BROKEN,
            _(
                "Tabel basis data bukan dari versi program ini (ada %(there)s, perlu %(wanted)s).",
                there=", ".join(sorted(applied)) or "-",
                wanted=newest_migration(),
            ),
            _("Jalankan: %(command)s", command="./run db upgrade")
            if applied <= known_migrations()
            else _("Program ini lebih lama dari basis datanya: perbarui program."),
        )


def is_outdated() -> bool:
    """Return whether the database answers and its schema is of another version."""
    db.session.rollback()
    try:
        return any(outdated())
    except SQLAlchemyError:
        return False


def event_log() -> Iterator[Finding]:
    """Event log beyond its limits: not pruned, or growing faster than it is pruned."""
    size = retention.size()
    too_old = size.oldest_at and size.oldest_at < utcnow() - retention.MAX_AGE - EXCESS_AGE
    if too_old or size.events > retention.MAX_EVENTS + EXCESS_EVENTS:
        yield Finding(
            "event_log_large",
            WARNING,
            _(
                "Log kejadian berisi %(events)s kejadian, melebihi batasnya (%(most)s, satu hari).",
                events=lazy_decimal(size.events),
                most=lazy_decimal(retention.MAX_EVENTS),
            ),
            _(
                "Jalankan %(web)s atau %(worker)s. Bila sudah berjalan dan lognya tidak menyebut "
                "sebab, basis data menghapus lebih lambat daripada kejadian bertambah: periksa "
                "disk dan bebannya. Log mengecil sendiri begitu ia cukup cepat.",
                web="./run web",
                worker="./run worker",
            ),
        )
