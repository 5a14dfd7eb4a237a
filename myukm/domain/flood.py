"""The flood guard: limits how many actions of an account are published to others."""

from typing import cast

from flask_babel import lazy_gettext as _
from sqlalchemy import Table, bindparam, update
from sqlalchemy.orm.attributes import set_committed_value

from myukm.db.types import utcnow
from myukm.errors import TooFast
from myukm.extensions import db
from myukm.models import User

MAX_ACTIONS, WITHIN_MILLISECONDS = 20, 10_000


def check_pace(user: User) -> None:
    """Raise `TooFast` after `MAX_ACTIONS` actions within `WITHIN_MILLISECONDS`."""
    _recent(user.recent_acts)


def count_act(user_id: int | None) -> None:
    """Count an action of an account, inside the `transaction()` that does it.

    The times of the latest actions are in the account's row, and the update succeeds only if they
    are unchanged since they were read. So the limit holds over all processes and without Valkey,
    and usually takes one statement. Command-line commands, which
    have no account, are not limited. Raises `TooFast` like `check_pace`.
    """
    user = db.session.get(User, user_id) if user_id else None
    if user is None or _count(user):
        return
    db.session.refresh(user, ["recent_acts"], with_for_update={"key_share": True})
    _count(user)


def _count(user: User) -> bool:
    acts = " ".join([*_recent(user.recent_acts), str(_now())])
    values = {"user": user.id, "before": user.recent_acts, "after": acts}
    if not db.session.connection().execute(_COUNT, values).rowcount:
        return False
    set_committed_value(user, "recent_acts", acts)
    return True


_USER = cast(Table, User.__table__)
_COUNT = (
    update(_USER)
    .where(_USER.c.id == bindparam("user"), _USER.c.recent_acts == bindparam("before"))
    .values(recent_acts=bindparam("after"))
)


def _recent(acts: str) -> list[str]:
    """Return the recent times of `acts`. Raises `TooFast` if there are `MAX_ACTIONS`.

    The error has the seconds until the next action is allowed, because without them a page would
    double its wait after each attempt.
    """
    now = _now()
    # Ignore times far in the future, which mean that the clock was set back.
    recent = [at for at in acts.split() if abs(now - int(at)) < WITHIN_MILLISECONDS]
    if len(recent) >= MAX_ACTIONS:
        wait = WITHIN_MILLISECONDS - (now - int(recent[-MAX_ACTIONS]))
        raise TooFast(_("Terlalu cepat. Tunggu beberapa detik."), retry_after=-(-wait // 1000))
    return recent


def _now() -> int:
    """Return the milliseconds since 1970 by the database's clock, because the clocks of machines
    differ."""
    return round(utcnow().timestamp() * 1000)
