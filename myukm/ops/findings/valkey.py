"""Checks of Valkey: reachable, writable, enough memory, no eviction."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from redis.exceptions import RedisError

from myukm.extensions import valkey
from myukm.logs.redaction import shown
from myukm.ops.findings import BROKEN, WARNING, Finding


def unreachable() -> Iterator[Finding]:
    """Valkey does not answer at `REDIS_URL`."""
    try:
        valkey().ping()
    except RedisError as error:
        yield Finding(
            "valkey_unreachable",
            BROKEN,
            _("Valkey di %(url)s tidak menjawab: %(why)s", url=address(), why=_one_line(error)),
            _(
                "Jalankan server Valkey (atau Redis), atau betulkan REDIS_URL. Pesan chat dan "
                "sinkronisasi menunggu di basis data dan jalan lagi dengan sendirinya."
            ),
        )


def memory() -> Iterator[Finding]:
    """An eviction policy that may drop jobs, or memory nearly used up."""
    info = valkey().info("memory")
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
    if limit and (used := info["used_memory"] / limit) > 0.9:
        yield Finding(
            "valkey_memory",
            BROKEN if used >= 0.99 else WARNING,
            _("Memori Valkey terpakai %(percent)d%%.", percent=min(round(used * 100), 100)),
            _(
                "Naikkan maxmemory, atau hapus pekerjaan gagal yang tidak perlu: %(command)s",
                command="flask queue clear QUEUE --failed",
            ),
        )


def refuses_writes() -> Iterator[Finding]:
    """Valkey answers but refuses writes: a replica, or its disk is full."""
    replication, persistence = valkey().info("replication"), valkey().info("persistence")
    if replication.get("role") not in (None, "master"):
        yield Finding(
            "valkey_replica",
            BROKEN,
            _("REDIS_URL menunjuk ke salinan (replica) yang tidak bisa ditulisi."),
            _("Arahkan REDIS_URL ke server utama."),
        )
    if _cannot_save(persistence):
        yield Finding(
            "valkey_cannot_save",
            BROKEN,
            _("Valkey gagal menyimpan ke disk dan bisa menolak pekerjaan baru."),
            _("Periksa ruang dan izin folder data Valkey; sebabnya ada di log Valkey."),
        )


def address() -> str:
    """Return `REDIS_URL` without user, password and query."""
    return shown(current_app.config["REDIS_URL"])


def _cannot_save(info: Mapping[str, Any]) -> bool:
    keys = ("rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status")
    return any(info.get(key, "ok") == "err" for key in keys)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
