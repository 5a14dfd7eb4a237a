"""Checks of Valkey: reachable, writable, enough memory, no eviction."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import redis
from flask import current_app
from flask_babel import lazy_gettext as _
from redis.exceptions import AuthenticationError, RedisError

from myukm.cache import ttl_cache
from myukm.extensions import valkey
from myukm.logs.redaction import shown
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import QUEUES
from myukm.valkey_clients import SentinelAddress

SECOND_PING_SECONDS = 0.3
MAX_MEMORY_SHARE, FULL_MEMORY_SHARE = 0.9, 0.99


@ttl_cache(1.0)
def server_info() -> Mapping[str, Any]:
    """Return the answer to Valkey's command INFO, cached because several checks need it."""
    found: Mapping[str, Any] = valkey().info()
    return found


def unreachable() -> Iterator[Finding]:
    """Valkey does not answer at `REDIS_URL`, twice in a row, because once it may only be busy."""
    error = _ping()
    if error is not None and not isinstance(error, AuthenticationError):
        time.sleep(SECOND_PING_SECONDS)
        error = _ping()
    if error is None:
        return
    what = _("Valkey di %(url)s tidak menjawab: %(why)s", url=address(), why=_one_line(error))
    cure = _(
        "Jalankan server Valkey (atau Redis), atau betulkan REDIS_URL. Pesan chat dan "
        "sinkronisasi menunggu di basis data dan jalan lagi dengan sendirinya."
    )
    if wants_password(error):
        what = _("Valkey di %(url)s meminta kata sandi (yang lain).", url=address())
        cure = _("Betulkan nama dan kata sandi di REDIS_URL, lalu jalankan ulang web dan worker.")
    yield Finding("valkey_unreachable", BROKEN, what, cure)


def _ping() -> RedisError | None:
    try:
        valkey().ping()
    except RedisError as error:
        return error
    return None


def wants_password(error: RedisError) -> bool:
    """Return whether an error means that Valkey refuses the password, or the lack of one."""
    refusals = ("NOAUTH", "HELLO must be", "invalid username-password")
    return isinstance(error, AuthenticationError) or any(text in str(error) for text in refusals)


def sentinels() -> Iterator[Finding]:
    """A sentinel that does not answer; a failover needs more than half of them."""
    address = SentinelAddress.parse(current_app.config["REDIS_URL"])
    places = address.places if address else []
    silent = [f"{host}:{port}" for host, port in places if not _answers(address, host, port)]
    if silent:
        yield Finding(
            "sentinel_silent",
            BROKEN if 2 * len(silent) >= len(places) else WARNING,
            _("Sentinel tidak menjawab: %(silent)s.", silent=", ".join(silent)),
            _("Jalankan sentinel itu lagi; tanpa mayoritas, Valkey tidak berpindah server."),
        )


def _answers(address: SentinelAddress | None, host: str, port: int) -> bool:
    options = address.sentinel_options(0.5) if address else {}
    try:
        with redis.Redis(host, port, **options) as client:
            return bool(client.ping())
    except RedisError:
        return False


def memory() -> Iterator[Finding]:
    """An eviction policy that may drop jobs, or memory that is nearly full."""
    info = server_info()
    limit, policy = info.get("maxmemory", 0), info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Finding(
            "valkey_policy",
            BROKEN if limit else WARNING,
            _(
                "Valkey boleh membuang data saat memorinya penuh (maxmemory-policy %(policy)s): "
                "pekerjaan yang menunggu bisa lenyap.",
                policy=policy,
            ),
            _("Atur maxmemory-policy noeviction di konfigurasi Valkey."),
        )
    if limit and (used := info["used_memory"] / limit) > MAX_MEMORY_SHARE:
        yield Finding(
            "valkey_memory",
            BROKEN if used >= FULL_MEMORY_SHARE else WARNING,
            _("Memori Valkey terpakai %(percent)d%%.", percent=min(round(used * 100), 100)),
            _(
                "Naikkan maxmemory, atau hapus pekerjaan gagal yang tidak perlu: %(command)s",
                command=f"./run queue clear {_fullest()} --failed",
            ),
        )


def refuses_writes() -> Iterator[Finding]:
    """Valkey answers but refuses writes: it is a replica, or it cannot save to disk."""
    info = server_info()
    if info.get("role") not in (None, "master"):
        yield Finding(
            "valkey_replica",
            BROKEN,
            _("REDIS_URL menunjuk ke salinan (replica) yang tidak bisa ditulisi."),
            _("Arahkan REDIS_URL ke server utama."),
        )
    if _cannot_save(info):
        yield Finding(
            "valkey_cannot_save",
            BROKEN,
            _("Valkey gagal menyimpan ke disk dan bisa menolak pekerjaan baru."),
            _("Periksa ruang dan izin folder data Valkey; sebabnya ada di log Valkey."),
        )


def _fullest() -> str:
    """Return the queue with the most failed jobs."""
    with valkey().pipeline(transaction=False) as pipe:
        for name in QUEUES:
            pipe.zcard(get_queue(name).failed_job_registry.key)
        return max(zip(pipe.execute(), QUEUES, strict=True))[1]


def address() -> str:
    """Return `REDIS_URL` without user, password and query."""
    return shown(current_app.config["REDIS_URL"])


def _cannot_save(info: Mapping[str, Any]) -> bool:
    keys = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
    return any(info.get(key, "ok") == "err" for key in keys)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
