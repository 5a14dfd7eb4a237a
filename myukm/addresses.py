"""Web addresses in one spelling, so that a setting and a browser's header can be compared."""

from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def origin(url: str) -> str | None:
    """Return the origin of a URL as browsers write it (RFC 6454): `https://kampus.example`.

    It is in lower case, without the scheme's default port, with an international host name in
    ASCII. None if the URL has a user, a path or a query, or is invalid.
    """
    try:
        parts = urlsplit(url)
        if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
            return None
        return f"{parts.scheme}://{_place(parts)}" if parts.scheme in DEFAULT_PORTS else None
    except ValueError:
        return None


def port(url: str) -> int | None:
    """Return the port in a URL; None if the URL has none, or it is the default port of http or
    https."""
    try:
        number = urlsplit(url).port
    except ValueError:
        return None
    return None if number in DEFAULT_PORTS.values() else number


def ascii_host(host: str) -> str:
    """Return a host's name in ASCII, as in DNS. Raises ValueError for an invalid name."""
    return host if ":" in host or host.isascii() else host.encode("idna").decode()


def _place(parts: SplitResult) -> str:
    host = ascii_host(parts.hostname or "")
    if not host or not host.isprintable() or " " in host:
        raise ValueError(host)
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{parts.port}"
