"""Checks of the database's sessions: whether a session blocks others, whether sessions have
time-outs and may be seen, and whether the server allows enough of them. SQLite has no sessions."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import RowMapping, text
from sqlalchemy.exc import OperationalError

from myukm.db import timeouts
from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.sentences import joined, lazy_decimal

CONNECTIONS_PER_WEB_PROCESS, CONNECTIONS_PER_WORKER_HOST = 11, 6
NEARLY_ALL = 0.8
BLOCKED_SECONDS = 10
ACCESS_DENIED = 1227  # MariaDB: a privilege for the whole server is missing

# Without transactions that only read, because they block nobody. But an idle one is included,
# because it keeps VACUUM from cleaning up.
BLOCKED = {
    "postgresql": """
        SELECT pid, usename AS name, client_addr AS host, application_name AS program,
          extract(epoch FROM clock_timestamp() - xact_start) AS seconds,
          (SELECT count(*) FROM pg_stat_activity w WHERE w.wait_event_type = 'Lock'
            AND a.pid = ANY (pg_blocking_pids(w.pid))) AS waiting
        FROM pg_stat_activity a
        WHERE datname = current_database() AND pid <> pg_backend_pid()
          AND xact_start < clock_timestamp() - :seconds * interval '1 second'
          AND (state LIKE 'idle in%' OR backend_xid IS NOT NULL)
        ORDER BY waiting DESC, xact_start LIMIT 1""",
    "mysql": """
        SELECT t.trx_mysql_thread_id AS pid, p.user AS name, p.host AS host, '' AS program,
          timestampdiff(SECOND, t.trx_started, now()) AS seconds,
          (SELECT count(*) FROM information_schema.innodb_lock_waits w
            WHERE w.blocking_trx_id = t.trx_id) AS waiting
        FROM information_schema.innodb_trx t
        LEFT JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
        WHERE t.trx_mysql_thread_id <> connection_id() AND t.trx_rows_locked > 0
          AND t.trx_started < now() - INTERVAL :seconds SECOND
        ORDER BY waiting DESC, t.trx_started LIMIT 1""",
}
UNLIMITED = "SELECT name FROM pg_settings WHERE name = ANY (:names) AND setting = '0' ORDER BY 1"
ROLE = "SELECT quote_ident(current_user)"  # asked, because the address may name no user
LIMITS = ("idle_in_transaction_session_timeout", "lock_timeout", "statement_timeout")
SLOTS = {
    "postgresql": """
        SELECT current_setting('max_connections')::int
          - current_setting('superuser_reserved_connections')::int AS slots,
          (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used""",
    "mysql": """
        SELECT @@max_connections AS slots, (SELECT variable_value
          FROM information_schema.global_status
          WHERE variable_name = 'THREADS_CONNECTED') + 0 AS used""",
}
PROGRAMS = (
    "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'myukm %'"
)


def blocked() -> Iterator[Finding]:
    """A transaction that has been open for ten seconds and has written or is idle, or MariaDB does
    not let our account see transactions."""
    try:
        found = _first(BLOCKED, seconds=BLOCKED_SECONDS)
    except OperationalError as error:
        if error.orig is None or error.orig.args[0] != ACCESS_DENIED:
            raise
        db.session.rollback()
        yield _no_privilege()
        return
    if found is None:
        return
    who = f"{found['name']} {found['program'] or ''}".strip()
    what = _(
        "Transaksi %(who)s dari %(host)s (sesi %(pid)s) terbuka sejak %(seconds)d detik.",
        who=who,
        host=found["host"] or _("mesin basis data sendiri"),
        pid=found["pid"],
        seconds=found["seconds"],
    )
    waiting = _("%(count)s sesi menunggunya.", count=lazy_decimal(found["waiting"]))
    yield Finding(
        "database_blocked",
        BROKEN if found["waiting"] else WARNING,
        joined(what, waiting) if found["waiting"] else what,
        _("Periksa mesin itu, atau akhiri sesinya: %(command)s", command=_kill(found["pid"])),
        utcnow() - timedelta(seconds=float(found["seconds"])),
    )


def _no_privilege() -> Finding:
    name, _at, host = db.session.scalars(text("SELECT current_user()")).one().rpartition("@")
    return Finding(
        "database_privilege",
        WARNING,
        _(
            "Akun basis data %(account)s tidak boleh melihat transaksi lain, jadi sesi yang "
            "menahan kunci tidak akan disebut.",
            account=name,
        ),
        _(
            "Jalankan di MariaDB sebagai root: %(command)s",
            command=f"GRANT PROCESS ON *.* TO '{name}'@'{host}'",
        ),
    )


def settings() -> Iterator[Finding]:
    """Sessions without time-outs, as behind a pooler: a host that vanishes could block others."""
    if db.engine.dialect.name != "postgresql":
        return
    missing = db.session.scalars(text(UNLIMITED), {"names": list(LIMITS)}).all()
    if not missing:
        return
    role, wanted = db.session.scalar(text(ROLE)), timeouts.postgresql_settings()
    commands = " ".join(f"ALTER ROLE {role} SET {name} = '{wanted[name]}';" for name in missing)
    yield Finding(
        "database_settings",
        WARNING,
        _("Sesi basis data tanpa batas waktu: %(names)s.", names=", ".join(missing)),
        _(
            "Jalankan di PostgreSQL, lalu RECONNECT di konsol PgBouncer: %(command)s",
            command=commands,
        ),
    )


def connections() -> Iterator[Finding]:
    """Nearly all connections are in use, or the server allows fewer than our living processes may
    open."""
    found = _first(SLOTS)
    if found is None:
        return
    slots, used, budget = found["slots"], found["used"], _budget()
    texts = {"slots": lazy_decimal(slots), "used": lazy_decimal(used)}
    if used >= NEARLY_ALL * slots:
        what = _("Basis data memakai %(used)s dari %(slots)s sambungan.", **texts)
    elif budget > slots:
        what = _(
            "Basis data menerima %(slots)s sambungan, padahal proses yang hidup boleh memakai "
            "%(budget)s.",
            budget=lazy_decimal(budget),
            **texts,
        )
    else:
        return
    cure = _("Naikkan max_connections, kurangi WEB_CONCURRENCY, atau pasang PgBouncer.")
    yield Finding("database_connections", WARNING, what, cure)


def _budget() -> int:
    """Return how many connections all living processes may open; 0 if unknown, because only
    PostgreSQL shows the programs of its connections."""
    if db.engine.dialect.name != "postgresql":
        return 0
    seen = [name.split()[1:] for name in db.session.scalars(text(PROGRAMS))]
    web = {place for program, place in seen if program == "gunicorn"}
    hosts = {place.partition(":")[0] for program, place in seen if program != "gunicorn"}
    return CONNECTIONS_PER_WEB_PROCESS * len(web) + CONNECTIONS_PER_WORKER_HOST * len(hosts)


def _first(queries: Mapping[str, str], **values: int) -> RowMapping | None:
    query = queries.get(db.engine.dialect.name)
    if query is None:
        return None
    return db.session.execute(text(query), values).mappings().first()


def _kill(pid: int) -> str:
    postgresql = db.engine.dialect.name == "postgresql"
    return f"SELECT pg_terminate_backend({pid})" if postgresql else f"KILL {pid}"
