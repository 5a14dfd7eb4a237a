"""Web addresses in one spelling, so that those of a setting and of a browser can be compared."""

from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> str | None:
    """Return the origin of a URL as browsers write it (RFC 6454): `https://kampus.example`.

    Without capitals, without the scheme's own port, an international name in ASCII. None if the URL
    has more than an origin (a user, path, query), or is no URL.
    """
    try:
        parts = urlsplit(url)
        if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
            return None
        return f"{parts.scheme}://{_place(parts)}" if parts.scheme in DEFAULT_PORTS else None
    except ValueError:
        return None


def port(url: str) -> int | None:
    """Return the port of an address if it is not that of http or https."""
    try:
        number = urlsplit(url).port
    except ValueError:
        return None
    return None if number in DEFAULT_PORTS.values() else number


def ascii_host(host: str) -> str:
    """Return a host's name as DNS knows it. Raises ValueError for one that cannot exist."""
    return host if ":" in host or host.isascii() else host.encode("idna").decode()


def _place(parts: SplitResult) -> str:
    host = ascii_host(parts.hostname or "")
    if not host or not host.isprintable() or " " in host:
        raise ValueError(host)
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"
