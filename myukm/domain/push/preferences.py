"""A person's preferences for notifications on all their devices, including quiet hours."""

import re
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy.exc import IntegrityError

from myukm.db.session import transaction
from myukm.errors import Conflict, Invalid
from myukm.extensions import db
from myukm.i18n import campus_timezone
from myukm.models import PushPreference

TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def of(user_id: int) -> PushPreference:
    """Return the person's preferences, or the defaults, which are not stored."""
    return db.session.get(PushPreference, user_id) or defaults(user_id)


def defaults(user_id: int) -> PushPreference:
    """Return the defaults: all notifications, with their text, at all hours."""
    return PushPreference(user_id=user_id, show_text=True, announcements=True, staff=True)


def change(
    user_id: int,
    *,
    show_text: bool,
    announcements: bool,
    staff: bool,
    quiet_from: str,
    quiet_until: str,
) -> None:
    """Store the preferences. Quiet hours are `HH:MM`, or both empty.

    Raises `Invalid`, or `Conflict` if two requests store the person's first preferences at once.
    """
    hours = _minutes(quiet_from), _minutes(quiet_until)
    if None in hours and hours != (None, None):
        raise Invalid(_("Isi kedua jam tenang, atau kosongkan keduanya."), code="bad_quiet_hours")
    if None not in hours and hours[0] == hours[1]:
        raise Invalid(_("Awal dan akhir jam tenang harus berbeda."), code="bad_quiet_hours")
    try:
        with transaction() as session:
            chosen = of(user_id)
            chosen.show_text, chosen.announcements, chosen.staff = show_text, announcements, staff
            chosen.quiet_from, chosen.quiet_until = hours
            session.add(chosen)
    except IntegrityError:
        raise Conflict(_("Simpan sekali lagi."), code="try_again") from None


def _minutes(text: str) -> int | None:
    if not text:
        return None
    found = TIME.fullmatch(text)
    if not found:
        raise Invalid(_("Tulis jam seperti 22:00."), code="bad_quiet_hours")
    return int(found[1]) * 60 + int(found[2])


def as_time(minutes: int | None) -> str:
    """Return minutes after midnight as `HH:MM`, "" for None."""
    return "" if minutes is None else f"{minutes // 60:02}:{minutes % 60:02}"


def quiet_end(quiet_from: int | None, quiet_until: int | None, now: datetime) -> datetime | None:
    """Return the end of the quiet hours if `now` lies in them, else None.

    `quiet_from` and `quiet_until` are minutes after midnight in the campus's time zone. The quiet
    hours may pass midnight.
    """
    if quiet_from is None or quiet_until is None:
        return None
    local = now.astimezone(campus_timezone())
    minute = local.hour * 60 + local.minute
    if (minute - quiet_from) % 1440 >= (quiet_until - quiet_from) % 1440:
        return None
    left = timedelta(minutes=(quiet_until - minute) % 1440)
    return now + left - timedelta(seconds=local.second, microseconds=local.microsecond)
