"""The database's address and driver."""

import re
from inspect import signature
from typing import Any

from myukm.catalogue import N_
from myukm.settings import sources
from myukm.settings.reader import Reader

DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}
_SQLITE_OPTIONS = frozenset(
    {"timeout", "isolation_level", "detect_types", "check_same_thread", "cached_statements"}
)
# The folder of a socket in place of the host (`//%2Frun%2Fpg/myukm`): libpq accepts it, SQLAlchemy
# does not.
_SOCKET = re.compile(r"//([^?]*@)?(%2F[^/@?]*)(/[^?]*)(\?.*)?", re.IGNORECASE)


def database(env: Reader) -> dict[str, Any]:
    """Return `DATABASE_URL` as set, and as `SQLALCHEMY_DATABASE_URI` the form with our driver."""
    url = env.url("DATABASE_URL", f"sqlite:///{sources.INSTANCE / 'myukm.db'}", tuple(DRIVERS))
    scheme, rest = url.split(":", 1)
    if scheme != "sqlite" and rest.partition("?")[0].count("@") > 1:
        raise env.wrong(
            "DATABASE_URL",
            N_("tanda @ di dalam nama atau kata sandi harus ditulis %40 (/ %2F, # %23, ? %3F)"),
        )
    if scheme == "sqlite" and rest in ("//", "///:memory:"):
        example = "sqlite:////srv/myukm/myukm.db"
        raise env.wrong(
            "DATABASE_URL",
            N_(
                "basis data SQLite harus berupa file (%(example)s): "
                "web dan worker memakainya bersama"
            ),
            example=example,
        )
    if scheme == "sqlite" and not rest.startswith("////"):
        # Every part of the program must open the same file, from whatever folder it runs.
        rest = f"///{sources.INSTANCE / rest.removeprefix('///')}"
    if socket := _SOCKET.fullmatch(rest):
        user, folder, name, query = socket.groups("")
        rest = f"//{user}{name}?host={folder}{query.replace('?', '&', 1)}"
    uri = f"{DRIVERS[scheme]}:{rest}"
    if "?" in rest and (refused := _refused_options(uri)):
        raise env.wrong(
            "DATABASE_URL",
            N_("%(options)s setelah ? tidak diterima %(scheme)s; betulkan atau hapus"),
            options=", ".join(refused),
            scheme=scheme,
        )
    return {"DATABASE_URL": url, "SQLALCHEMY_DATABASE_URI": uri}


def _refused_options(uri: str) -> list[str]:
    """Return the options after `?` that the driver would refuse, which otherwise shows only when it
    connects."""
    import psycopg
    import pymysql.connections
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    url = make_url(uri)
    known = {
        "sqlite": _SQLITE_OPTIONS,
        "postgresql": {each.keyword.decode() for each in psycopg.pq.Conninfo.get_defaults()},
        "mysql": signature(pymysql.connections.Connection).parameters.keys(),
    }[url.get_backend_name()]
    if unknown := [name for name in url.query if name not in known]:
        return unknown
    try:
        url.get_dialect()().create_connect_args(url)
    except (ValueError, ArgumentError):
        return list(url.query)
    return []
