"""Checks of the processes: no web server, processes that end again and again, descriptors."""

from collections.abc import Iterator

from flask_babel import format_percent
from flask_babel import gettext as _

from myukm.ops import process_registry
from myukm.ops.findings import BROKEN, WARNING, Finding

NEARLY_ALL = 0.8
# A restart of everything starts each process once.
STARTS_EACH, FEWEST_STARTS = 3, 6


def no_web() -> Iterator[Finding]:
    """No web process lives, though one did within the last day."""
    if process_registry.web_was_seen() and not _with_role("web"):
        yield Finding(
            "no_web",
            BROKEN,
            _("Tidak ada server web yang hidup: halaman tidak bisa dibuka."),
            _("Jalankan: %(command)s", command="./run web"),
        )


def restarts() -> Iterator[Finding]:
    """Processes of a machine start again and again."""
    places = {(each.host, each.role) for each in process_registry.living()}
    for host, role in sorted(places):
        count = process_registry.starts(host, role)
        living = sum(each.host == host for each in _with_role(role))
        if count > max(FEWEST_STARTS, STARTS_EACH * living):
            yield Finding(
                "process_restarts",
                WARNING,
                _(
                    "Proses %(role)s di %(host)s jalan ulang %(count)d kali dalam satu menit.",
                    role=role,
                    host=host,
                    count=count,
                ),
                _("Sebabnya ada di log proses itu di %(host)s.", host=host),
                subject=f"{role}@{host}",
            )


def descriptors() -> Iterator[Finding]:
    """A process that has opened nearly all files and sockets that it may."""
    for each in process_registry.living():
        if each.descriptors > NEARLY_ALL:
            yield Finding(
                "descriptors",
                WARNING,
                _(
                    "Proses %(role)s %(pid)d di %(host)s memakai %(share)s deskriptor berkasnya.",
                    role=each.role,
                    pid=each.pid,
                    host=each.host,
                    share=format_percent(each.descriptors),
                ),
                _("Naikkan LimitNOFILE di unit systemd (atau ulimit -n), lalu jalankan ulang."),
                subject=f"{each.host}:{each.pid}",
            )


def _with_role(role: str) -> list[process_registry.Process]:
    return [each for each in process_registry.living() if each.role == role]
