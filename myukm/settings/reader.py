"""Reads and checks the variables, one per call. The error for a wrong value is one line."""

import re
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from myukm import addresses
from myukm.catalogue import N_, translate
from myukm.logs.redaction import PATH_IS_SECRET, shown

Number = TypeVar("Number", int, float)
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,]+")


class ConfigError(Exception):
    """A wrong or missing setting; the message is one line that names the variable and the cure."""


class Reader:
    """Reads variables of `environ`. Each method raises `ConfigError` for an unacceptable value."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    def wrong(self, name: str, text: str, **values: object) -> ConfigError:
        """Return the error about the variable `name`, with `text` translated by `MYUKM_LANG`."""
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
            not_integer = N_("%(value)r bukan bilangan bulat dari %(low)s sampai %(high)s")
            not_number = N_("%(value)r bukan angka dari %(low)s sampai %(high)s")
            text = not_integer if kind is int else not_number
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
        """Return the path of a file or folder with readable certificates."""
        path = self.text(name)
        try:
            _read_certificates(path)
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
        """Return Apprise addresses, separated by blanks."""
        value = self.text(name)
        if not value:
            return value
        from apprise import Apprise  # here, because the import takes a third of a second

        for number, address in enumerate(value.split(), 1):
            if not Apprise().add(address):
                text = N_("alamat ke-%(n)d bukan alamat Apprise (contoh: ntfy://ntfy.sh/topik)")
                raise self.wrong(name, text, n=number)
        return value

    def token(self, name: str) -> str:
        """Return a secret of visible ASCII characters only, because it is sent in a header."""
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
    if parts.scheme in ("unix", "postgres", "postgresql"):  # libpq has a default socket
        return len(parts.path) > 1
    return parts.scheme in ("mysql", "mariadb") and "unix_socket" in query


@cache
def _read_certificates(path: str) -> None:
    """Raise `OSError` unless `path` is a folder or a readable file of certificates. Cached, because
    several variables often name one bundle, which takes a tenth of a second to read."""
    if not Path(path).is_dir():
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
