"""Checks of how Valkey runs: slow, without persistence, restarted again and again."""

import time
from collections.abc import Iterator

from flask import current_app
from flask_babel import lazy_gettext as _
from redis.exceptions import ResponseError

from myukm.extensions import valkey
from myukm.ops.findings import WARNING, Finding
from myukm.ops.findings.valkey import server_info

SLOW_SECONDS, PINGS = 0.05, 4
MIN_RESTARTS, RESTARTS_WINDOW_SECONDS = 3, 600.0


def slow() -> Iterator[Finding]:
    """Valkey answers slowly. Several pings are measured and the fastest counts, because a
    single one may have waited for our own process."""
    seconds = _ping_seconds()
    for _again in range(PINGS - 1):
        if seconds > SLOW_SECONDS:
            seconds = min(seconds, _ping_seconds())
    if seconds > SLOW_SECONDS:
        yield Finding(
            "valkey_slow",
            WARNING,
            _("Valkey butuh %(ms)d milidetik untuk perintah terkecil.", ms=seconds * 1000),
            _("Periksa beban, memori (swap) dan jaringan server Valkey."),
        )


def not_persistent() -> Iterator[Finding]:
    """Valkey writes neither an append-only file nor snapshots: a restart loses the queued jobs."""
    if server_info().get("aof_enabled"):
        return
    try:
        snapshots = valkey().config_get("save").get("save")
    except ResponseError:  # hosting providers that refuse CONFIG have their own persistence
        return
    if not snapshots:
        yield Finding(
            "valkey_not_persistent",
            WARNING,
            _("Valkey tidak menyimpan apa pun ke disk: pekerjaan hilang saat ia berhenti."),
            _("Atur appendonly yes di konfigurasi Valkey."),
        )


def restarts() -> Iterator[Finding]:
    """Valkey was restarted several times lately, as far as this process has seen it."""
    seen: list[tuple[str, float]] = current_app.extensions.setdefault("valkey_runs", [])
    info = server_info()
    if not seen or seen[-1][0] != info["run_id"]:
        seen.append((info["run_id"], time.monotonic()))
    recent = [at for _run_id, at in seen[1:] if at > time.monotonic() - RESTARTS_WINDOW_SECONDS]
    del seen[: -MIN_RESTARTS - 1]
    if len(recent) >= MIN_RESTARTS:
        yield Finding(
            "valkey_restarts",
            WARNING,
            _("Valkey berhenti dan jalan lagi berulang kali dalam sepuluh menit terakhir."),
            _("Sebabnya ada di log Valkey atau systemd: sering kehabisan memori."),
        )


def _ping_seconds() -> float:
    began = time.monotonic()
    valkey().ping()
    return time.monotonic() - began
