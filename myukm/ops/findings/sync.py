"""Checks of the sync: a run that does not move, that the program paused, or that mostly fails."""

from collections.abc import Iterator

from flask_babel import format_datetime, format_decimal, format_percent
from flask_babel import gettext as _

from myukm.domain.sync import anomaly_guard, progress, schedule, standstill_reason
from myukm.models.sync import Status
from myukm.ops.findings import BROKEN, WARNING, Finding

FAILED_SHARE, FEW_STUDENTS = 0.1, 10


def stalled() -> Iterator[Finding]:
    """A live run that does not move, whether its cause is known or not."""
    now, run = progress.current(), progress.live()
    if run is None or not now["stalled"]:
        return
    if now["reason_code"] == standstill_reason.STILL_CODE:
        what = _("Sinkronisasi %(reason)s.", reason=now["reason"])
        cure = _(
            "Jalankan ulang worker: %(command)s. Bila ia tetap diam, kirimkan log worker kepada "
            "pengembang.",
            command="./run queue restart",
        )
        yield Finding("sync_still", BROKEN, what, cure, run.last_progress_at)
    else:
        what = _("Sinkronisasi tidak bergerak: %(reason)s.", reason=now["reason"])
        cure = _("Sinkronisasi jalan lagi dengan sendirinya begitu sebab itu hilang.")
        yield Finding(now["reason_code"], BROKEN, what, cure, run.last_progress_at)


def paused() -> Iterator[Finding]:
    """A run that the program itself paused; it goes on only when a person resumes it."""
    run = progress.live()
    if run is None or run.status != Status.PAUSED or run.reason_code is None:
        return
    accept = " --accept" if run.reason_code == anomaly_guard.CODE else ""
    yield Finding(
        "sync_paused",
        BROKEN,
        _("Program menjeda sinkronisasi: %(reason)s", reason=run.reason),
        _(
            "Sesudah itu lanjutkan: %(resume)s, atau batalkan: %(cancel)s",
            resume=f"./run sync resume{accept}",
            cancel="./run sync cancel",
        ),
        run.last_progress_at,
    )


def many_failed() -> Iterator[Finding]:
    """More than a tenth of the students of the shown run failed."""
    now = progress.current()
    if now["total"] < FEW_STUDENTS or now["failed"] <= FAILED_SHARE * now["total"]:
        return
    yield Finding(
        "many_students_failed",
        WARNING,
        _(
            "%(failed)s dari %(total)s siswa gagal disinkronkan (%(share)s).",
            failed=format_decimal(now["failed"]),
            total=format_decimal(now["total"]),
            share=format_percent(now["failed"] / now["total"]),
        ),
        _(
            "Sebabnya ada di halaman sinkronisasi. Ulangi yang gagal: %(command)s",
            command="./run sync retry-failed",
        ),
    )


def schedule_missed() -> Iterator[Finding]:
    """The last time of SYNC_SCHEDULE started no run, and no run has begun since."""
    missed = schedule.missed()
    if missed is None:
        return
    yield Finding(
        "schedule_missed",
        WARNING,
        _(
            "Sinkronisasi terjadwal %(time)s tidak dimulai: program sedang mati, atau belum ada "
            "siswa.",
            time=format_datetime(missed, _("d MMM y HH.mm")),
        ),
        _("Mulai sekarang: %(command)s", command="./run sync start"),
        missed,
    )
