"""Check of queues that somebody paused."""

from collections.abc import Iterator
from contextlib import suppress

from flask_babel import lazy_gettext as _
from redis.exceptions import RedisError

from myukm.catalogue import N_
from myukm.domain import queue_pauses
from myukm.ops.findings import WARNING, Finding
from myukm.queues.jobs import DEFAULT, HIGH, SYNC
from myukm.queues.workers import snapshot
from myukm.sentences import joined, lazy_decimal

# What people notice while the jobs of a queue wait.
EFFECTS = {
    HIGH: N_("Pesan obrolan tetap sampai, hanya sedetik lebih lambat."),
    DEFAULT: N_("Status daring dan pemberitahuan terlambat."),
    SYNC: N_("Sinkronisasi pembayaran tidak mulai, dan yang berjalan berhenti maju."),
}


def paused() -> Iterator[Finding]:
    """Queues that somebody paused, and who: they stay paused until somebody resumes them."""
    waiting = {}
    with suppress(RedisError):
        waiting = {name: each.count for name, each in snapshot().backlogs.items()}
    for row in queue_pauses.paused():
        what = _(
            "Antrian %(queue)s dijeda oleh %(name)s; %(count)s pekerjaan menunggu.",
            queue=row.queue,
            name=row.actor_name,
            count=lazy_decimal(waiting.get(row.queue, 0)),
        )
        effect = EFFECTS.get(row.queue)
        yield Finding(
            "queue_paused",
            WARNING,
            joined(what, _(effect)) if effect else what,
            _("Jalankan: %(command)s", command=f"./run queue resume {row.queue}"),
            row.since,
            subject=row.queue,
        )
