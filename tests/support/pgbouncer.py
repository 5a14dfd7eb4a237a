"""A real PgBouncer in transaction mode, in front of a test's PostgreSQL."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg

from devtools.ports import any_free
from devtools.process_tree import ManagedProcess
from tests.support.postgresql import PostgreSQL
from tests.support.servers import need, open_folder
from tests.support.waiting import wait_until

# Few server connections for many clients, so that transactions of a client use different ones.
SETTINGS = """[databases]
* = host=127.0.0.1 port={server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
admin_users = postgres
pool_mode = transaction
default_pool_size = 3
server_round_robin = 1
ignore_startup_parameters = extra_float_digits
"""


@contextmanager
def pgbouncer(behind: PostgreSQL, database_url: str) -> Iterator[str]:
    """Run PgBouncer in front of `behind`; yield the database's URL through it."""
    program = need(shutil.which("pgbouncer") or shutil.which("/usr/sbin/pgbouncer"), "pgbouncer")
    port = any_free()
    with open_folder() as folder:
        settings = SETTINGS.format(server=behind.port, port=port, folder=folder)
        for name, words in (("users", '"postgres" ""\n'), ("settings", settings)):
            (folder / name).write_text(words)
            (folder / name).chmod(0o644)
        folder.chmod(0o755)
        child = ManagedProcess(behind.as_account([program, str(folder / "settings")]))
        url = database_url.replace(f":{behind.port}/", f":{port}/")
        try:
            wait_until(lambda: _answers(url), 30, "PgBouncer answers")
            yield url
        finally:
            child.stop(5)


def console(url: str) -> str:
    """Return the URL of PgBouncer's admin console."""
    return f"{url.rpartition('/')[0]}/pgbouncer"


def _answers(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(url).close()
        return True
    return False
