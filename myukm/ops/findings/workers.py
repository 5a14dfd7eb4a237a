"""Checks of dead workers and failed jobs."""

from collections.abc import Iterator

from flask_babel import format_decimal
from flask_babel import gettext as _

from myukm.db.types import utcnow
from myukm.extensions import valkey
from myukm.ops.findings import WARNING, Finding
from myukm.ops.stats import health
from myukm.queues.enqueue import get_queue
from myukm.queues.jobs import FAILURE_SECONDS, QUEUES
from myukm.queues.workers import snapshot

HOUR = 3600


def dead() -> Iterator[Finding]:
    """A worker that ended without unregistering: killed, or out of memory."""
    for worker in snapshot().workers:
        if not worker.alive:
            yield Finding(
                "worker_died",
                WARNING,
                _(
                    "Worker %(name)s (antrian %(queues)s) mati mendadak.",
                    name=worker.name,
                    queues=", ".join(worker.queues) or "?",
                ),
                _(
                    "Bila tidak disengaja, periksa memori server dan log worker. Catatan ini "
                    "hilang sendiri dalam beberapa menit."
                ),
                worker.last_heartbeat,
            )


def unnamed() -> Iterator[Finding]:
    """Valkey refuses to name connections, by which dead workers are found."""
    if any(not worker.named for worker in snapshot().workers):
        yield Finding(
            "unnamed_connections",
            WARNING,
            _(
                "Valkey menolak CLIENT SETNAME: worker yang mati mendadak baru terlihat setelah "
                "detaknya berhenti."
            ),
            _("Izinkan perintah CLIENT bagi pengguna Valkey MyUKM (ACL: +client)."),
        )


def failed() -> Iterator[Finding]:
    """Jobs that failed within the last hour and were neither retried nor cleared."""
    for name in QUEUES:
        # The failed-job registry is sorted by expiry, which is the failure plus `FAILURE_SECONDS`.
        since = utcnow().timestamp() + FAILURE_SECONDS - HOUR
        count = valkey().zcount(get_queue(name).failed_job_registry.key, since, "+inf")
        if not count:
            continue
        what = _(
            "%(count)s pekerjaan di antrian %(queue)s gagal dalam satu jam terakhir.",
            count=format_decimal(count),
            queue=name,
        )
        rows = [row for row in health()["latest_failures"] if row["queue"] == name]
        last = f" {rows[0]['job']}: {rows[0]['error']}" if rows else ""
        cure = _(
            "Lihat: %(look)s. Ulangi: %(retry)s",
            look="flask queue failed",
            retry="flask queue retry --all",
        )
        yield Finding("jobs_failed", WARNING, what + last, cure)
