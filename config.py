"""Settings: the environment, then `.env`, then `instance/demo.env` while a demo runs.

`load()` checks every value once, at the start. A wrong value raises `ConfigError` with one line
that names the variable and what it accepts, so that nothing starts half configured. The line is
in Indonesian, or in English with `MYUKM_LANG=en`.
"""

import fcntl
import os
import re
import secrets
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from inspect import signature
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from dotenv import dotenv_values
from dotenv.parser import parse_stream

from myukm import addresses
from myukm.catalogue import N_, translate
from myukm.logs.redaction import PATH_IS_SECRET, shown

ROOT = Path(__file__).resolve().parent
INSTANCE = ROOT / "instance"

DRIVERS = {
    "sqlite": "sqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
}


class ConfigError(Exception):
    """A wrong or missing setting; the message is one line that names it and the cure."""


def load(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the checked settings as Flask's upper-case configuration.

    `environ` replaces the process environment and the files (for tests).
    Raises `ConfigError` for an unacceptable value.
    """
    env = _Reader(_environment() if environ is None else environ)
    production = env.choice("MYUKM_ENV", "development", ("development", "production"))
    settings: dict[str, Any] = {
        "MYUKM_ENV": production,
        "MYUKM_LANG": env.choice("MYUKM_LANG", "id", ("id", "en")),
        "MYUKM_TIMEZONE": env.timezone("MYUKM_TIMEZONE", "Asia/Jakarta"),
        "REDIS_URL": _valkey(env),
        "PUBLIC_URL": _public_url(env),
        "TRUSTED_PROXIES": env.integer("TRUSTED_PROXIES", 0, 0, 10),
        "REGISTRATION": env.choice("REGISTRATION", "invite", ("invite", "open", "closed")),
        "PEMBAYARAN_API_TIMEOUT": env.number("PEMBAYARAN_API_TIMEOUT", 30, 0.1, 600),
        "PEMBAYARAN_API_TRIES": env.integer("PEMBAYARAN_API_TRIES", 3, 1, 20),
        "PEMBAYARAN_API_CONCURRENCY": env.integer("PEMBAYARAN_API_CONCURRENCY", 32, 1, 1000),
        "PEMBAYARAN_API_RPS": env.optional_number("PEMBAYARAN_API_RPS", 0.1, 100_000),
        "PEMBAYARAN_API_ETAG_HOURS": env.integer("PEMBAYARAN_API_ETAG_HOURS", 24, 0, 8_760),
        "SYNC_JOB_TIMEOUT": env.integer("SYNC_JOB_TIMEOUT", 600, 30, 86_400),
        "SYNC_LANE_TIMEOUT": env.integer("SYNC_LANE_TIMEOUT", 15, 5, 600),
        "SYNC_SCHEDULE": env.cron("SYNC_SCHEDULE"),
        "GUARD_SHARE": env.number("GUARD_SHARE", 0.2, 0, 1),
        "GUARD_MIN": env.integer("GUARD_MIN", 20, 1, 1_000_000),
        "HISTORY_KEEP_DAYS": env.integer("HISTORY_KEEP_DAYS", 365, 1, 36_500),
        "ALERT_WEBHOOK_URL": env.url("ALERT_WEBHOOK_URL", "", ("http", "https")),
        "ALERT_EMAIL_TO": env.emails("ALERT_EMAIL_TO"),
        "SMTP_URL": env.url("SMTP_URL", "", ("smtp", "smtps")),
        "ALERT_URLS": env.notifiers("ALERT_URLS"),
        "HEARTBEAT_URL": env.url("HEARTBEAT_URL", "", ("http", "https")),
        "METRICS_TOKEN": env.token("METRICS_TOKEN"),
    }
    settings |= _production_settings(env, production == "production")
    settings |= _payment_api(env)
    settings |= _database(env)
    settings |= _session_cookie(settings["PUBLIC_URL"])
    return settings


def _environment() -> dict[str, str]:
    return {**_demo_environment(), **file_settings(), **os.environ}


def file_settings() -> dict[str, str]:
    """Return the settings in `.env`, {} without that file. Raises `ConfigError`."""
    path = ROOT / ".env"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        complaint = N_("%(path)s tidak dapat dibaca (%(error)s)")
        raise _wrong_file(complaint, path=path, error=error.strerror) from None
    if "\0" in text:
        raise _wrong_file(N_("%(path)s bukan teks UTF-8; simpan ulang sebagai UTF-8"), path=path)
    wrong = [part.original for part in parse_stream(StringIO(text)) if part.error]
    if wrong:
        line = wrong[0].line + len(wrong[0].string) - len(wrong[0].string.lstrip("\n"))
        raise _wrong_file(N_("%(path)s baris %(n)d bukan NAMA=nilai"), path=path, n=line)
    values = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in values.items() if value is not None}


def _wrong_file(text: str, **values: object) -> ConfigError:
    return ConfigError(translate(text, os.environ.get("MYUKM_LANG", "id"), **values))


def _demo_environment() -> Mapping[str, str]:
    """Return the running demo's settings, {} if no demo holds the lock (it may have died)."""
    try:
        with (INSTANCE / "demo.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        values = dotenv_values(INSTANCE / "demo.env")
        return {k: v for k, v in values.items() if v is not None}
    except OSError:
        return {}
    return {}


def _production_settings(env: "_Reader", production: bool) -> dict[str, Any]:
    secret = env.text("SECRET_KEY")
    if (secret and len(secret) < 32) or (production and not secret):
        example = f"SECRET_KEY={secrets.token_urlsafe(32)}"
        raise env.wrong(
            "SECRET_KEY",
            N_("wajib diisi, minimal 32 karakter, misalnya %(example)s"),
            example=example,
        )
    if production:
        _require(
            env,
            PEMBAYARAN_API_URL="https://pembayaran.kampus.ac.id/api",
            PUBLIC_URL="https://ukm.kampus.ac.id",
        )
    return {"SECRET_KEY": secret or _generated_secret(env)}


def _payment_api(env: "_Reader") -> dict[str, Any]:
    """Return the payment API's URL, its authentication (token or user) and its CA certificates."""
    url = env.url("PEMBAYARAN_API_URL", "http://127.0.0.1:5055", ("http", "https"))
    token = env.token("PEMBAYARAN_API_TOKEN")
    parts = urlsplit(url)
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise env.wrong(
            "PEMBAYARAN_API_URL",
            N_(
                "alamat dasar tidak boleh memuat ? atau #; "
                "kunci akses ditulis di PEMBAYARAN_API_TOKEN"
            ),
        )
    if token and "@" in parts.netloc:
        raise env.wrong(
            "PEMBAYARAN_API_URL",
            N_(
                "memuat nama dan kata sandi, padahal PEMBAYARAN_API_TOKEN juga diisi; "
                "pilih salah satu"
            ),
        )
    authorities = [env.certificates(name) for name in _AUTHORITIES if env.text(name)]
    return {
        "PEMBAYARAN_API_URL": url.rstrip("/"),
        "PEMBAYARAN_API_TOKEN": token,
        "PEMBAYARAN_API_CA": authorities,
    }


def _public_url(env: "_Reader") -> str:
    """Return the origin that users see, in one spelling."""
    url = env.url("PUBLIC_URL", "", ("http", "https"))
    origin = addresses.origin(url)
    if url and not origin:
        text = N_("%(address)s harus alamat tanpa nama, jalur, dan ?, seperti %(example)s")
        raise env.wrong("PUBLIC_URL", text, address=shown(url), example="https://ukm.kampus.ac.id")
    return origin or ""


def _require(env: "_Reader", **examples: str) -> None:
    """Raise `ConfigError` if a setting that production requires is missing."""
    for name, example in examples.items():
        if not env.text(name):
            raise env.wrong(
                name,
                N_("wajib diisi bila MYUKM_ENV=production, misalnya %(example)s"),
                example=f"{name}={example}",
            )


def _generated_secret(env: "_Reader") -> str:
    """Return this checkout's generated secret. `O_EXCL` lets only one of two concurrent first
    starts create it."""
    path = INSTANCE / "secret_key"
    try:
        INSTANCE.mkdir(mode=0o700, exist_ok=True)
        draft = INSTANCE / f"secret_key.{os.getpid()}"
        draft.write_text(secrets.token_urlsafe(48))
        draft.chmod(0o600)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()
    except OSError as error:
        raise env.wrong(
            "SECRET_KEY",
            N_("belum diisi, dan %(path)s tidak dapat ditulisi (%(error)s)"),
            path=path,
            error=error,
        ) from None


def _valkey(env: "_Reader") -> str:
    # Imported here, because the demo's process needs nothing of it.
    import redis

    from myukm.valkey_clients import SentinelAddress

    url = env.text("REDIS_URL")
    if url.startswith("sentinel:"):
        if not SentinelAddress.parse(url):
            text = N_(
                "%(url)s harus berbentuk sentinel://[nama:sandi@]host:26379,host:26379/NAMA/0"
            )
            raise env.wrong("REDIS_URL", text, url=shown(url))
        return url
    url = env.url("REDIS_URL", "redis://127.0.0.1:6379/0", _VALKEY_SCHEMES)
    # redis-py would silently use database 0 for a path that is not a number.
    if not url.startswith("unix:") and not re.fullmatch(r"/?\d*", urlsplit(url).path):
        raise env.wrong(
            "REDIS_URL",
            N_("%(url)s harus diakhiri nomor seperti /0"),
            url=shown(url),
        )
    try:
        redis.ConnectionPool.from_url(url).make_connection()
    except (TypeError, ValueError):
        text = N_("%(url)s: yang tertulis setelah ? tidak diterima; betulkan atau hapus")
        raise env.wrong("REDIS_URL", text, url=shown(url)) from None
    return url


def _database(env: "_Reader") -> dict[str, Any]:
    url = env.url("DATABASE_URL", f"sqlite:///{INSTANCE / 'myukm.db'}", tuple(DRIVERS))
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
    """The options after `?` that the driver would refuse, which it says only when it connects."""
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


def _session_cookie(public_url: str) -> dict[str, Any]:
    return {
        "SESSION_COOKIE_NAME": "myukm",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_REFRESH_EACH_REQUEST": False,  # web/http/access.py refreshes it once a day
        "SESSION_COOKIE_SECURE": public_url.startswith("https://"),
        "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
    }


Number = TypeVar("Number", int, float)
# The variables with which OpenSSL, requests and curl find a campus's own certificate authority.
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_SQLITE_OPTIONS = frozenset(
    {"timeout", "isolation_level", "detect_types", "check_same_thread", "cached_statements"}
    | {"uri", "mode", "cache", "immutable", "nolock", "psow", "vfs"}
)
# A socket's folder as host, which libpq accepts and SQLAlchemy does not: `//%2Frun%2Fpg/myukm`.
_SOCKET = re.compile(r"//([^?]*@)?(%2F[^/@?]*)(/[^?]*)(\?.*)?", re.IGNORECASE)
_VALKEY_SCHEMES = ("redis", "rediss", "unix", "sentinel")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


def _is_complete(url: str) -> bool:
    """Return whether an address says where to connect: a host, or a file or socket."""
    try:
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        _ = parts.port
    except ValueError:
        return False
    if parts.scheme in addresses.DEFAULT_PORTS and (not url.isprintable() or " " in url):
        return False
    if parts.scheme == "sqlite" or parts.hostname:
        return parts.scheme != "unix"
    if parts.scheme in ("unix", "postgres", "postgresql"):  # libpq knows a socket of its own
        return len(parts.path) > 1
    return parts.scheme in ("mysql", "mariadb") and "unix_socket" in query


class _Reader:
    """Reads and checks variables one at a time; errors are one line each."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def wrong(self, name: str, text: str, **values: object) -> ConfigError:
        """Return the error about a variable in the operator's language."""
        return ConfigError(f"{name}: {translate(text, self.text('MYUKM_LANG', 'id'), **values)}")

    def text(self, name: str, default: str = "") -> str:
        return self.environ.get(name, "").strip() or default

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in allowed:
            text = N_("%(value)r bukan salah satu dari %(allowed)s")
            raise self.wrong(name, text, value=value, allowed=", ".join(allowed))
        return value

    def number(self, name: str, default: float, low: float, high: float) -> float:
        return self._in_range(name, default, (low, high), float)

    def optional_number(self, name: str, low: float, high: float) -> float | None:
        return self.number(name, low, low, high) if self.text(name) else None

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        return self._in_range(name, default, (low, high), int)

    def _in_range(
        self, name: str, default: Number, bounds: tuple[float, float], kind: Callable[[str], Number]
    ) -> Number:
        value = self.text(name)
        try:
            parsed = kind(value) if value else default
        except ValueError:
            parsed = None
        low, high = bounds
        if parsed is None or not low <= parsed <= high:
            whole = N_("%(value)r bukan bilangan bulat dari %(low)g sampai %(high)g")
            any_number = N_("%(value)r bukan angka dari %(low)g sampai %(high)g")
            text = whole if kind is int else any_number
            raise self.wrong(name, text, value=value, low=low, high=high)
        return parsed

    def url(self, name: str, default: str, schemes: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if not value:
            return value
        text = shown(value, path=name not in PATH_IS_SECRET)
        scheme, _, rest = value.partition("://")
        if not rest or scheme.lower() not in schemes:
            accepted = ", ".join(f"{s}://" for s in schemes)
            complaint = N_("%(address)s harus diawali %(accepted)s")
            raise self.wrong(name, complaint, address=text, accepted=accepted)
        value = f"{scheme.lower()}://{rest}"
        if not _is_complete(value):
            raise self.wrong(name, N_("%(address)s bukan alamat yang lengkap"), address=text)
        return value

    def certificates(self, name: str) -> str:
        """Return the path of a file or folder of certificates, checked to be readable."""
        path = self.text(name)
        try:
            if not Path(path).is_dir():
                ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
        except OSError:
            text = N_("%(path)r bukan berkas sertifikat (PEM) yang dapat dibaca")
            raise self.wrong(name, text, path=path) from None
        return path

    def emails(self, name: str) -> str:
        value = self.text(name)
        if value and not all(_EMAIL.fullmatch(each.strip()) for each in value.split(",")):
            text = N_("%(value)r bukan alamat email (beberapa alamat dipisahkan koma)")
            raise self.wrong(name, text, value=value)
        return value

    def notifiers(self, name: str) -> str:
        """Return addresses that Apprise knows, separated by blanks."""
        value = self.text(name)
        if not value:
            return value
        from apprise import Apprise  # here, because it takes a third of a second and few set it

        for number, address in enumerate(value.split(), 1):
            if not Apprise().add(address):
                text = N_("alamat ke-%(n)d bukan alamat Apprise (contoh: ntfy://ntfy.sh/topik)")
                raise self.wrong(name, text, n=number)
        return value

    def token(self, name: str) -> str:
        """Return a secret that is sent in a header, so it may contain visible ASCII only."""
        value = self.text(name)
        if not re.fullmatch(r"[!-~]*", value):
            text = N_("hanya boleh berisi huruf, angka, dan tanda ASCII, tanpa spasi")
            raise self.wrong(name, text)
        return value

    def cron(self, name: str) -> str:
        value = " ".join(self.text(name, "").split())
        try:
            if value:
                next(CronSim(value if len(value.split()) == 5 else "", datetime.now(UTC)))
        except (CronSimError, StopIteration):
            text = N_("%(value)r bukan jadwal cron seperti '30 1 * * *' (setiap hari pukul 01.30)")
            raise self.wrong(name, text, value=value) from None
        return value

    def timezone(self, name: str, default: str) -> str:
        value = self.text(name, default)
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            text = N_("%(value)r bukan zona waktu seperti Asia/Jakarta atau Asia/Makassar")
            raise self.wrong(name, text, value=value) from None
        return value
