"""Checks of the processes: no web server, restarts again and again, descriptors, memory, and
streams whose events a proxy holds back."""

from collections.abc import Iterator, Sequence

from flask_babel import format_percent
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from myukm.cache import ttl_cache
from myukm.ops import held_streams, process_memory, process_registry
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.ops.process_registry import HEARTBEAT_SECONDS
from myukm.queues.workers import snapshot
from myukm.sentences import lazy_decimal

NEARLY_ALL = 0.8
# Starts within a minute that are still normal: for each living process, and at least on a host. (A
# restart of everything starts each process once.)
STARTS_PER_PROCESS, MIN_STARTS = 3, 6


def no_web() -> Iterator[Finding]:
    """No web process lives, though one did within the last day."""
    if not _with_role("web") and process_registry.web_was_seen():
        yield Finding(
            "no_web",
            BROKEN,
            _("Tidak ada server web yang hidup: halaman tidak bisa dibuka."),
            _("Jalankan: %(command)s", command="./run web"),
        )


def restarts() -> Iterator[Finding]:
    """Processes of a machine start again and again."""
    places = {(each.host, each.role) for each in _living()}
    now = snapshot().moment
    for host, role in sorted(places):
        count = process_registry.starts(host, role, now)
        # Processes whose last heartbeat is missing have ended, though `_living` still has them.
        alive = (each for each in _with_role(role) if each.at >= now - HEARTBEAT_SECONDS - 1)
        living = sum(each.host == host for each in alive)
        if count > max(MIN_STARTS, STARTS_PER_PROCESS * living):
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
                host=host,
            )


def descriptors() -> Iterator[Finding]:
    """A process that has nearly reached its limit of open files and sockets."""
    for each in _living():
        if each.descriptors > NEARLY_ALL:
            yield Finding(
                "descriptors",
                WARNING,
                _(
                    "Proses %(role)s %(pid)d di %(host)s memakai %(share)s deskriptor berkasnya.",
                    role=each.role,
                    pid=each.pid,
                    host=each.host,
                    share=LazyString(format_percent, each.descriptors),
                ),
                _("Naikkan LimitNOFILE di unit systemd (atau ulimit -n), lalu jalankan ulang."),
                subject=f"{each.host}:{each.pid}",
                host=each.host,
                pid=each.pid,
            )


def memory() -> Iterator[Finding]:
    """A process of web or worker, or a child of one, that uses more than `PROCESS_MEMORY_MB`."""
    for each in process_memory.large_processes():
        restart = "./run queue restart" if each.role == "worker" else f"kill {each.pid}"
        yield Finding(
            "process_memory",
            WARNING,
            _(
                "Proses %(role)s %(pid)d di %(host)s memakai memori %(size)s MB.",
                role=each.role,
                pid=each.pid,
                host=each.host,
                size=lazy_decimal(each.megabytes),
            ),
            _(
                "Mulai lagi proses itu (di %(host)s): %(command)s. Bila itu memang "
                "keperluannya, naikkan PROCESS_MEMORY_MB.",
                host=each.host,
                command=restart,
            ),
            subject=f"{each.host}:{each.pid}",
            host=each.host,
            pid=each.pid,
        )


def held_back() -> Iterator[Finding]:
    """Pages that receive no events of their streams although requests are answered."""
    if count := held_streams.count():
        yield Finding(
            "stream_buffered",
            WARNING,
            _(
                "Halaman %(count)s orang tidak menerima pembaruan langsung meskipun server "
                "menjawabnya: proxy atau jaringan di antaranya menahan aliran /stream.",
                count=lazy_decimal(count),
            ),
            _(
                "Di proxy, jangan menahan atau memampatkan /stream, seperti di deploy/nginx.conf "
                "(proxy_buffering off; gzip off)."
            ),
            extent=count,
            people=count,
        )


@ttl_cache(1.0)
def _living() -> Sequence[process_registry.Process]:
    """Return the living processes, cached because three checks need them."""
    return process_registry.living(snapshot().moment)


def _with_role(role: str) -> list[process_registry.Process]:
    return [each for each in _living() if each.role == role]
