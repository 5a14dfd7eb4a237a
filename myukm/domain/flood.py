"""The flood guard: limits how often an account may do what is published to others."""

import time

from flask_babel import lazy_gettext as _
from sqlalchemy import select, update

from myukm.errors import TooFast
from myukm.extensions import db
from myukm.models import User

MAX_ACTS, WITHIN_MILLISECONDS = 20, 10_000


def count_act(user_id: int | None) -> None:
    """Count an action of an account, inside the `transaction()` that does it.

    The times of the latest actions are stored in the account's row, which is locked until the
    commit, so the limit holds over all processes and without Valkey. The command line has no limit.
    Raises `TooFast` after `MAX_ACTS` actions within `WITHIN_MILLISECONDS`.
    """
    if user_id is None:
        return
    mine = select(User.recent_acts).where(User.id == user_id).with_for_update(key_share=True)
    known, now = (db.session.scalar(mine) or "").split(), time.time_ns() // 1_000_000
    # Ignore times far in the future, which mean that the clock was set back.
    recent = [at for at in known if abs(now - int(at)) < WITHIN_MILLISECONDS]
    if len(recent) >= MAX_ACTS:
        raise TooFast(_("Terlalu cepat. Tunggu beberapa detik."))
    acts = " ".join([*recent, str(now)])
    counted = update(User).where(User.id == user_id).values(recent_acts=acts)
    db.session.execute(counted, execution_options={"synchronize_session": False})
