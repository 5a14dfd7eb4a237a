"""Time limits of database connections, on client and server, and the detection of poolers.

A machine that vanishes closes no connection. Without limits the server would keep the locks of a
vanished client for hours, and clients would wait for a vanished server for hours. Settings in
`DATABASE_URL` take precedence.
"""

import os
import socket
import sys
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, Connection
from sqlalchemy.orm import Session

CONNECT_SECONDS, SILENCE_SECONDS = 3, 10
STATEMENT_SECONDS, IDLE_SECONDS = 30, 10
LOCK_SECONDS, LANE_LOCK_SECONDS = 5, 8
# An idle connection is probed after 5 s, then every 2 s, and lost after 3 probes without an answer.
KEEPALIVE_SECONDS = (5, 2, 3)


def client_options(url: URL) -> dict[str, Any]:
    """Return the driver's connect arguments for the database at `url`."""
    idle, interval, count = KEEPALIVE_SECONDS
    options: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS}
    if url.get_backend_name() == "postgresql":
        options |= {
            "keepalives": 1,
            "keepalives_idle": idle,
            "keepalives_interval": interval,
            "keepalives_count": count,
            "tcp_user_timeout": SILENCE_SECONDS * 1000,
        }
    else:
        limits = ", ".join(f"{name}={value}" for name, value in mariadb_settings().items())
        options |= {
            "charset": "utf8mb4",
            "read_timeout": CONNECT_SECONDS,  # for the handshake, see `set_up_mariadb`
            "write_timeout": STATEMENT_SECONDS,
            "init_command": f"SET SESSION {limits}",
        }
    return {name: value for name, value in options.items() if name not in url.query}


def unlimited(options: dict[str, Any]) -> dict[str, Any]:
    """Return connect arguments for migrations, whose statements take as long as the tables need.

    The read time-out stays for the handshake; `set_up_mariadb` lifts it.
    """
    endless = ("write_timeout", "init_command")
    return {name: value for name, value in options.items() if name not in endless}


def postgresql_settings() -> dict[str, str]:
    """Return the settings that a session of PostgreSQL should have."""
    idle, interval, count = KEEPALIVE_SECONDS
    return {
        "idle_in_transaction_session_timeout": f"{round(IDLE_SECONDS * 1000)}ms",
        "lock_timeout": f"{round(LOCK_SECONDS * 1000)}ms",
        "statement_timeout": f"{round(STATEMENT_SECONDS * 1000)}ms",
        "tcp_keepalives_idle": f"{idle}",
        "tcp_keepalives_interval": f"{interval}",
        "tcp_keepalives_count": f"{count}",
        "tcp_user_timeout": f"{SILENCE_SECONDS * 1000}",
    }


def mariadb_settings() -> dict[str, int]:
    """Return the settings that a session of MariaDB should have.

    `idle_write_transaction_timeout` alone would not end a transaction that has only locked rows
    (`SELECT … FOR UPDATE`), because MariaDB does not count that as writing.
    """
    return {
        "idle_transaction_timeout": IDLE_SECONDS,
        "idle_write_transaction_timeout": IDLE_SECONDS,
        "innodb_lock_wait_timeout": LOCK_SECONDS,
    }


def set_up_postgresql(connection: Any, url: URL) -> None:
    """Set the time limits of a new session, unless the connection leads to a pooler (PgBouncer).

    A pooler may run each transaction in another session. There settings would reach other clients,
    and prepared statements would not be found. So behind a pooler this function only switches
    prepared statements off, and the limits must be settings of the database role. A pooler is
    recognized by the backend process id, which it invents for its clients.
    """
    given = str(url.query.get("options", ""))
    limits = {name: v for name, v in postgresql_settings().items() if name not in given}
    calls = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in limits.items())
    own = f"pg_backend_pid() = {connection.info.backend_pid}"
    connection.autocommit = True
    direct = connection.execute(f"SELECT CASE WHEN {own} THEN concat({calls}, '.') END").fetchone()
    connection.autocommit = False
    if direct[0] is None:
        connection.prepare_threshold = None


def set_up_mariadb(connection: Any, url: URL, seconds: float | None) -> None:
    """Set the read time-out of a new connection (None: no limit).

    During the handshake the read time-out is `CONNECT_SECONDS`, because pymysql's connect time-out
    does not cover the handshake.
    """
    if "read_timeout" not in url.query:
        connection._read_timeout = seconds


def session_name() -> str:
    """Return the name under which the database server lists this process's sessions."""
    return f"myukm {Path(sys.argv[0]).name} {socket.gethostname()}:{os.getpid()}"[:63]


def wait_for_locks(session: Session, seconds: float) -> None:
    """Let the running transaction wait up to `seconds` for each lock. PostgreSQL only, because
    MariaDB has no lock time-out per transaction."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(seconds * 1000)}")


def lift_time_limits(connection: Connection) -> None:
    """Lift the time limits of the running transaction, for migrations, and for imports, files and
    checks in jobs and commands. Not in a request, which would hold its connection for as long.

    On MariaDB only the limits of idle transactions are lifted, and the connection is closed after
    the transaction, because these limits are those of a whole session. Keepalives still detect a
    machine that vanished.
    """
    if connection.dialect.name == "postgresql":
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        calls = ", ".join(f"set_config('{name}', '0', true)" for name in names)
        connection.exec_driver_sql(f"SELECT {calls}")
    elif connection.dialect.name == "mysql":
        connection.detach()
        connection.exec_driver_sql(
            "SET SESSION idle_transaction_timeout = 0, idle_write_transaction_timeout = 0"
        )


def raise_work_memory(connection: Connection) -> None:
    """Let the running transaction sort and hash 32 MB without temporary files, which is enough for
    sums over 100,000 students. PostgreSQL only, where the default is 4 MB."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SELECT set_config('work_mem', '32MB', true)")


def replan_statements(connection: Connection) -> None:
    """Let the running transaction plan each statement anew. PostgreSQL only, which caches plans: a
    plan made for a small table would scan the whole table after it has grown."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "SELECT set_config('plan_cache_mode', 'force_custom_plan', true)"
        )
