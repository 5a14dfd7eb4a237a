"""Checks that the workers of our queues use the database and the code of this installation."""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _

from myukm.domain.installation import code_version, database_id
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.queues.workers import WorkerInfo, is_ours, snapshot


def wrong_database() -> Iterator[Finding]:
    """A worker that takes our jobs, but uses another database, which lacks their rows."""
    ours = database_id()
    for worker in _living():
        if worker.database not in ("", ours):
            yield Finding(
                "wrong_database",
                BROKEN,
                _(
                    "Worker %(name)s (%(host)s, proses %(pid)s) memakai basis data lain: pekerjaan "
                    "yang diambilnya hilang.",
                    **_place(worker),
                ),
                _(
                    "Samakan DATABASE_URL di %(host)s, lalu jalankan ulang worker itu: %(command)s",
                    # After `kill`, `worker.py` would fork a new process with the old settings.
                    command="./run queue restart" if worker.ours else f"kill {worker.pid or '?'}",
                    host=worker.host or "?",
                ),
                subject=worker.name,
                host=worker.host,
                pid=worker.pid,
            )


def other_version() -> Iterator[Finding]:
    """A worker that runs another version of the code than this process."""
    for worker in _living():
        if worker.version not in ("", code_version()):
            yield Finding(
                "other_version",
                WARNING,
                _(
                    "Worker %(name)s (%(host)s, proses %(pid)s) menjalankan kode versi lain.",
                    **_place(worker),
                ),
                _(
                    "Perbarui program di semua mesin, lalu jalankan ulang web dan worker "
                    "(%(command)s).",
                    command="./run queue restart",
                ),
                subject=worker.name,
                host=worker.host,
                pid=worker.pid,
            )


def _living() -> list[WorkerInfo]:
    return [worker for worker in snapshot().workers if worker.alive and is_ours(worker)]


def _place(worker: WorkerInfo) -> dict[str, object]:
    return {"name": worker.name, "host": worker.host or "?", "pid": worker.pid or "?"}
