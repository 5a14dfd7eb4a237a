"""Checks of the sync: a run that stalls, that the program paused, or in which many students fail;
a missed time of the schedule."""

from collections.abc import Iterator

from flask_babel import format_percent
from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from myukm.domain.sync import anomaly_guard, progress, schedule, standstill_reason
from myukm.models.sync import LIVE, Status
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.queues.workers import PAUSED
from myukm.sentences import lazy_decimal, lazy_moment, localized, stored_sentence

FAILED_SHARE, MIN_STUDENTS = 0.1, 10


def stalled() -> Iterator[Finding]:
    """A live run that stalls, with or without a known cause. Not if its queue is paused, because
    the check of pauses reports that."""
    now, run = progress.current(), progress.live()
    if run is None or not now["stalled"] or now["reason_code"] == PAUSED:
        return
    since, pending = run.last_progress_at, now["pending"]
    reason = LazyString(lambda: localized(now)["reason"])
    if now["reason_code"] == standstill_reason.STILL_CODE:
        what = _("Sinkronisasi %(reason)s.", reason=reason)
        cure = _(
            "Jalankan ulang worker: %(command)s. Bila ia tetap diam, kirimkan log worker kepada "
            "pengembang.",
            command="./run queue restart",
        )
        yield Finding("sync_still", BROKEN, what, cure, since, people=pending)
    else:
        what = _("Sinkronisasi tidak bergerak: %(reason)s.", reason=reason)
        cure = _("Sinkronisasi jalan lagi dengan sendirinya begitu sebab itu hilang.")
        yield Finding(now["reason_code"], BROKEN, what, cure, since, people=pending)


def paused() -> Iterator[Finding]:
    """A run that the program itself paused; it goes on only when a person resumes it."""
    run = progress.live()
    if run is None or run.status != Status.PAUSED or run.reason_code is None:
        return
    accept = " --accept" if run.reason_code == anomaly_guard.CODE else ""
    yield Finding(
        "sync_paused",
        BROKEN,
        _("Program menjeda sinkronisasi: %(reason)s", reason=stored_sentence(run, "reason")),
        _(
            "Sesudah itu lanjutkan: %(resume)s, atau batalkan: %(cancel)s",
            resume=f"./run sync resume{accept}",
            cancel="./run sync cancel",
        ),
        run.last_progress_at,
        people=progress.current()["pending"],
    )


def many_failed() -> Iterator[Finding]:
    """More than a tenth of the students of the shown run failed."""
    shown = progress.current()
    if shown["total"] < MIN_STUDENTS or shown["failed"] <= FAILED_SHARE * shown["total"]:
        return
    command = "./run sync retry-failed"
    if shown["status"] in LIVE:
        cure = _(
            "Sebabnya ada di halaman sinkronisasi. Sesudah proses ini berakhir: %(command)s",
            command=command,
        )
    else:
        cure = _(
            "Sebabnya ada di halaman sinkronisasi. Ulangi yang gagal: %(command)s", command=command
        )
    yield Finding(
        "many_students_failed",
        WARNING,
        _(
            "%(failed)s dari %(total)s siswa gagal disinkronkan (%(share)s).",
            failed=lazy_decimal(shown["failed"]),
            total=lazy_decimal(shown["total"]),
            share=LazyString(format_percent, shown["failed"] / shown["total"]),
        ),
        cure,
        people=shown["failed"],
    )


def schedule_missed() -> Iterator[Finding]:
    """The last time of SYNC_SCHEDULE started no run, and no run over all students has begun
    since."""
    missed = schedule.missed()
    if missed is None:
        return
    time = lazy_moment(missed.at)
    if missed.had_students:
        text = _("Sinkronisasi terjadwal %(time)s tidak dimulai: program sedang mati.", time=time)
        cure = _("Mulai sekarang: %(command)s", command="./run sync start")
    else:
        text = _("Sinkronisasi terjadwal %(time)s tidak dimulai: belum ada siswa.", time=time)
        cure = _("Impor siswa, lalu mulai: %(command)s", command="./run sync start")
    yield Finding("schedule_missed", WARNING, text, cure, missed.at)
