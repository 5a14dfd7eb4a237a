"""The schedule of the sync: SYNC_SCHEDULE starts a run by itself, once at each of its times.

The one row of `sync_schedule` has the last time that was handled. The row is locked and updated in
the transaction that starts the run, so a time starts one run however many processes try.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from cronsim import CronSim
from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import exists, null, select

from myukm.db.session import transaction
from myukm.db.types import utcnow
from myukm.domain.actor import Actor
from myukm.domain.sync import commands, progress, run_log
from myukm.errors import Conflict, Invalid
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import SyncRun, SyncSchedule

MAX_DELAY = timedelta(hours=6)  # so long after its time a run is still started
MICROSECOND = timedelta(microseconds=1)
# Outcomes of a time. NEW: the time was before SYNC_SCHEDULE was set, so no run starts.
NEW, STARTED, BUSY, NO_STUDENTS, MISSED = "new", "started", "busy", "no_students", "missed"


class Scheduler:
    """A periodic task of the leader. It queries the database only when a time has come."""

    def __init__(self) -> None:
        self._next: datetime | None = None

    def run(self) -> None:
        """Handle a time that has come; after a failure it is tried again at the next call."""
        if not current_app.config["SYNC_SCHEDULE"]:
            return
        now = utcnow()
        if self._next is None or now >= self._next:
            handle(now)
            self._next = next(times_after(now))


def times_after(moment: datetime) -> Iterator[datetime]:
    """Return the times of SYNC_SCHEDULE after `moment`, in the campus's time zone."""
    return CronSim(current_app.config["SYNC_SCHEDULE"], campus_time(moment))


def next_times(count: int) -> list[datetime]:
    """Return the next `count` times at which a run starts; none without SYNC_SCHEDULE."""
    return list(islice(times_after(utcnow()), count)) if current_app.config["SYNC_SCHEDULE"] else []


def last_time(moment: datetime) -> datetime:
    """Return the last time of SYNC_SCHEDULE that is not after `moment`."""
    just_after = campus_time(moment) + MICROSECOND
    return next(CronSim(current_app.config["SYNC_SCHEDULE"], just_after, reverse=True))


def campus_time(moment: datetime) -> datetime:
    """Return the moment in the campus's time zone."""
    return moment.astimezone(campus_timezone())


def handle(now: datetime) -> str | None:
    """Handle the last time until `now`; return its outcome, None if it was handled already.

    Of several missed times only the last starts a run. A new SYNC_SCHEDULE starts no run for the
    times before it was set.
    """
    expression, due = current_app.config["SYNC_SCHEDULE"], last_time(now)
    with transaction() as session:
        row = session.execute(select(SyncSchedule).with_for_update()).scalar_one()
        if row.expression != expression:
            row.expression, row.handled, row.outcome = expression, due, NEW
        elif row.handled < due:
            row.handled, row.outcome = due, _outcome(due, now)
        else:
            return None
        return row.outcome


class Missed(NamedTuple):
    """A time at which no run was started: the program was down, or there were no students."""

    at: datetime
    had_students: bool


def missed() -> Missed | None:
    """Return the last time if no run was started then, and no run that stores the payments of all
    students has begun since."""
    row = db.session.execute(select(SyncSchedule.outcome, SyncSchedule.handled)).one()
    if not current_app.config["SYNC_SCHEDULE"] or row.outcome not in (MISSED, NO_STUDENTS):
        return None
    whole = (SyncRun.parent_run_id.is_(None), SyncRun.selected_ids.is_(null()))
    later = exists().where(SyncRun.started_at > row.handled, SyncRun.dry_run.is_(False), *whole)
    return None if db.session.scalar(select(later)) else Missed(row.handled, row.outcome == MISSED)


def _outcome(due: datetime, now: datetime) -> str:
    """Start the run of the time `due` and return the outcome."""
    if now - due > MAX_DELAY:
        return MISSED
    try:
        commands.start(Actor("SYNC_SCHEDULE"))
    except Conflict:
        _log_busy(due)
        return BUSY
    except Invalid:
        return NO_STUDENTS
    return STARTED


def _log_busy(due: datetime) -> None:
    run = progress.live()
    if run is not None:
        text = _(
            "Jadwal pukul %(time)s tidak memulai proses lain, karena proses ini masih hidup.",
            time=f"{due:%H.%M}",
        )
        run_log.append(run.id, "info", "schedule_busy", text)
