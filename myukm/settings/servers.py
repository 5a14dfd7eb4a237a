"""The addresses of servers: payment API, Valkey, push services, the origin that users see, and the
address on which gunicorn listens."""

import re
from typing import Any
from urllib.parse import urlsplit

import redis

from myukm import addresses
from myukm.catalogue import N_
from myukm.logs.redaction import shown
from myukm.settings.reader import Reader
from myukm.valkey_clients import SentinelAddress

# The variables with which OpenSSL, requests and curl find a campus's own certificate authority.
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_BIND = re.compile(r"unix:.+|fd://\d+|(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):(?P<port>\d{1,5})")
_VALKEY_SCHEMES = ("redis", "rediss", "unix", "sentinel")


def payment_api(env: Reader) -> dict[str, Any]:
    """Return the payment API's URL (which may contain user and password), its token, and the paths
    of CA certificates."""
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
    authorities = {env.certificates(name): None for name in _AUTHORITIES if env.text(name)}
    return {
        "PEMBAYARAN_API_URL": url.rstrip("/"),
        "PEMBAYARAN_API_TOKEN": token,
        "PEMBAYARAN_API_CA": list(authorities),
    }


def push(env: Reader, *, production: bool) -> dict[str, Any]:
    """Return the contact for push services, and which addresses may be push services."""
    endpoints = env.choice("PUSH_ENDPOINTS", "public", ("public", "any"))
    if production and endpoints == "any":
        raise env.wrong("PUSH_ENDPOINTS", N_("any hanya untuk pengembangan; hapus di produksi"))
    contact = env.emails("PUSH_CONTACT").partition(",")[0].strip()
    return {"PUSH_CONTACT": contact and f"mailto:{contact}", "PUSH_ENDPOINTS": endpoints}


def public_url(env: Reader) -> str:
    """Return the origin that users see, in one spelling."""
    url = env.url("PUBLIC_URL", "", ("http", "https"))
    origin = addresses.origin(url)
    if url and not origin:
        text = N_("%(address)s harus alamat tanpa nama, jalur, dan ?, seperti %(example)s")
        raise env.wrong("PUBLIC_URL", text, address=shown(url), example="https://ukm.kampus.ac.id")
    return origin or ""


def web_server(env: Reader) -> dict[str, Any]:
    """Return the addresses on which gunicorn listens, separated by commas, and the number of its
    processes."""
    bind = env.text("MYUKM_BIND", "127.0.0.1:5000")
    found = [_BIND.fullmatch(each.strip()) for each in bind.split(",")]
    if not all(each and int(each["port"] or 0) < 65_536 for each in found):
        text = N_("%(value)r harus berbentuk alamat:port, seperti 127.0.0.1:5000")
        raise env.wrong("MYUKM_BIND", text, value=bind)
    return {"MYUKM_BIND": bind, "WEB_CONCURRENCY": env.integer("WEB_CONCURRENCY", 2, 1, 1000)}


def valkey(env: Reader) -> str:
    """Return the address of Valkey, checked with the code of the client."""
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
