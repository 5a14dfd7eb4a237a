"""Checks of the backups of a production installation."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from myukm.db.types import utcnow
from myukm.extensions import db
from myukm.models import User
from myukm.ops import backup_log
from myukm.ops.findings import WARNING, Finding
from myukm.sentences import lazy_moment

MAX_AGE = timedelta(days=2)


def old() -> Iterator[Finding]:
    """The last backup failed, or the newest verified backup is older than two days. Only in
    production."""
    if current_app.config["MYUKM_ENV"] != "production":
        return
    verified = backup_log.newest(backup_log.VERIFIED)
    failed = backup_log.newest(backup_log.FAILED)
    if failed and (verified is None or failed.at > verified.at):
        yield _finding(_("Cadangan terakhir gagal: %(why)s.", why=failed.about), failed.at)
        return
    since: datetime | None
    if verified and verified.made_at:
        since = verified.made_at
        text = _("Cadangan teruji yang terbaru berasal dari %(time)s.", time=lazy_moment(since))
    else:
        since = db.session.scalar(select(func.min(User.created_at)))
        text = _("Belum ada cadangan yang teruji.")
    if since and utcnow() - since > MAX_AGE:
        yield _finding(text, since + MAX_AGE)


def _finding(message: Any, since: datetime) -> Finding:
    return Finding(
        "backup_old",
        WARNING,
        message,
        _(
            "Cadangkan sekarang: %(command)s; periksa jadwalnya (myukm-backup.timer atau cron).",
            command="./run backup --into FOLDER",
        ),
        since,
    )
