"""Checks of the hosts: free disk space, clocks, checks that hang or crash."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from flask_babel import lazy_gettext as _

from myukm.ops import host_reports
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.ops.folders import written_folders
from myukm.ops.host_reports import MAX_SKEW_SECONDS, WARN_SKEW_SECONDS

LOW_SHARE, LOW_BYTES, MIN_BYTES = 0.05, 2 * 1024**3, 200 * 1024**2


def disk() -> Iterator[Finding]:
    """A disk that we write to has less free space than `LOW_SHARE` and `LOW_BYTES`, or less than
    `MIN_BYTES`."""
    for folder in _folders():
        usage = shutil.disk_usage(folder)
        is_low = usage.free < LOW_BYTES and usage.free < LOW_SHARE * usage.total
        if is_low or usage.free < MIN_BYTES:
            yield Finding(
                "disk_full",
                BROKEN if usage.free < MIN_BYTES else WARNING,
                _(
                    "Disk tempat %(folder)s tinggal %(free)d MB.",
                    folder=folder,
                    free=usage.free // 1024**2,
                ),
                _("Kosongkan ruang: log lama, cadangan, atau perbesar disknya."),
                subject=str(folder),
                host=socket.gethostname(),
            )


def check_hangs(name: str, seconds: float) -> Finding:
    """Return the finding about a check that has not returned within `seconds`."""
    return Finding(
        "check_hangs",
        BROKEN,
        _(
            "Pemeriksaan %(name)s tidak selesai dalam %(seconds)d detik.",
            name=name,
            seconds=seconds,
        ),
        _("Periksa disk dan beban mesin ini; sebabnya ada di log sistem."),
        subject=name,
        host=socket.gethostname(),
    )


def check_crashes(name: str, error: Exception) -> Finding:
    """Return the finding about a check that ended with an error of its own."""
    return Finding(
        "check_crashes",
        WARNING,
        _(
            "Pemeriksaan %(name)s berakhir dengan kesalahan %(error)s: yang diperiksanya tidak "
            "diketahui.",
            name=name,
            error=type(error).__name__,
        ),
        _(
            "Kirimkan jejak kesalahan itu kepada pengembang: %(command)s",
            command="./run logs --level error",
        ),
        subject=name,
        host=socket.gethostname(),
    )


def clocks() -> Iterator[Finding]:
    """A machine whose clock differs from the database's."""
    for host, report in host_reports.latest().items():
        ahead = report.skew
        if abs(ahead) < WARN_SKEW_SECONDS:
            continue
        where = {"host": host, "seconds": abs(ahead)}
        wrong = _(
            "Jam server %(host)s terlalu cepat %(seconds)d detik dari jam basis data.", **where
        )
        if ahead < 0:
            wrong = _(
                "Jam server %(host)s terlambat %(seconds)d detik dari jam basis data.", **where
            )
        yield Finding(
            "clock_skew",
            BROKEN if abs(ahead) > MAX_SKEW_SECONDS else WARNING,
            wrong,
            _("Jalankan chrony (atau NTP lain) di semua server, juga di server basis data."),
            subject=host,
            host=host,
        )


def secret_keys() -> Iterator[Finding]:
    """A machine with another SECRET_KEY: its log-ins and codes are not valid on the others."""
    ours = host_reports.own().secret
    for host, report in host_reports.latest().items():
        if report.secret != ours:
            yield Finding(
                "secret_key_differs",
                BROKEN,
                _("SECRET_KEY di server %(host)s berbeda dari yang di server ini.", host=host),
                _("Pakai .env yang sama di semua server, lalu jalankan ulang web dan worker."),
                subject=host,
                host=host,
            )


def _folders() -> list[Path]:
    """Return the folders that we write to on this machine, one per disk."""
    folders = [folder for folder in written_folders() if folder.exists()]
    return list({folder.stat().st_dev: folder for folder in reversed(folders)}.values())
