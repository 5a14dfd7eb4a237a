"""A real MariaDB for tests."""

import shutil
import subprocess
from contextlib import closing
from functools import cached_property

import pymysql

from tests.support.servers import TEMPLATE, DatabaseServer, need


class MariaDB(DatabaseServer):
    """MariaDB with no password, on loopback."""

    account = "mysql"

    def prepare(self) -> None:
        install = need(shutil.which("mariadb-install-db"), "mariadb-server")
        argv = [
            install,
            "--no-defaults",
            f"--datadir={self.data}",
            f"--tmpdir={self.folder}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ]
        self.run_once(argv)

    def command(self) -> list[str]:
        daemon = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
        return [
            daemon,
            "--no-defaults",
            f"--datadir={self.data}",
            f"--tmpdir={self.folder}",  # a server that starts deletes others' files in a shared one
            f"--port={self.port}",
            "--bind-address=127.0.0.1",
            f"--socket={self.folder}/m.sock",
            f"--pid-file={self.folder}/m.pid",
            "--innodb-flush-log-at-trx-commit=0",
            "--innodb-file-per-table=0",  # no file per table: creating tables is ten times faster
            "--debug-no-sync",
            "--skip-name-resolve",
        ]

    def connect(self, **options: object) -> pymysql.Connection:  # type: ignore[type-arg]
        """Return a connection as root."""
        return pymysql.connect(host="127.0.0.1", port=self.port, user="root", **options)  # type: ignore[call-overload,no-any-return]

    def answers(self) -> bool:
        try:
            self.connect().close()
        except pymysql.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"mariadb://root@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str, database: str = "") -> None:
        many = pymysql.constants.CLIENT.MULTI_STATEMENTS
        connection = self.connect(database=database or None, client_flag=many, autocommit=True)
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(sql)
            while cursor.nextset():
                pass

    def migrated_database(self) -> str:
        name = self._create()
        self.execute(self._template_dump, name)
        return self.url(name)

    @cached_property
    def _template_dump(self) -> str:
        dump = ["mariadb-dump", "--no-defaults", "--host=127.0.0.1", f"--port={self.port}"]
        argv = [*dump, "--user=root", "--compact", TEMPLATE]
        made = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
        return f"SET foreign_key_checks = 0;{made}"
