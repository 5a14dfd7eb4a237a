"""A real PostgreSQL for tests."""

import shutil
from pathlib import Path

import psycopg

from tests.support.servers import TEMPLATE, DatabaseServer, need


class PostgreSQL(DatabaseServer):
    """PostgreSQL with no password, on loopback."""

    account = "postgres"

    def prepare(self) -> None:
        homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        found = shutil.which("initdb") or (str(homes[0] / "initdb") if homes else None)
        self.bin = Path(need(found, "postgresql")).parent
        argv = [
            str(self.bin / "initdb"),
            "-D",
            str(self.data),
            "-A",
            "trust",
            "-U",
            "postgres",
            "--no-locale",
            "--no-sync",
            "-E",
            "UTF8",
        ]
        self.run_once(argv)

    def command(self) -> list[str]:
        return [
            str(self.bin / "postgres"),
            "-D",
            str(self.data),
            "-p",
            str(self.port),
            "-h",
            "127.0.0.1",
            "-k",
            str(self.folder),
            "-F",
            "-c",
            "max_connections=200",
        ]

    def connect(self) -> psycopg.Connection:
        """Return a connection as the superuser."""
        return psycopg.connect(
            host="127.0.0.1", port=self.port, user="postgres", dbname="postgres", autocommit=True
        )

    def answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def execute(self, sql: str) -> None:
        with self.connect() as connection:
            connection.execute(sql.encode())

    def migrated_database(self) -> str:
        return self.url(self._create(f"TEMPLATE {TEMPLATE}"))
