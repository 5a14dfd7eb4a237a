"""Students whose figures disagree with each other, as a run meets them."""

from collections.abc import Sequence

from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from myukm.domain.payment_api.work_item import Result
from myukm.domain.sync import run_log
from myukm.i18n import campus_language
from myukm.models import Siswa


def count(session: Session, outcomes: Sequence[Result]) -> int:
    """Return of how many students the figures disagree, in the answer or (when the API said that
    nothing changed) in what we have."""
    right = [outcome for outcome in outcomes if not outcome.code]
    answered = sum(o.payments is not None and o.payments.owed.tidak_cocok for o in right)
    same = [outcome.idperson for outcome in right if outcome.payments is None]
    if not same:
        return answered
    query = select(func.count()).where(Siswa.idperson.in_(same), Siswa.tidak_cocok.is_(True))
    return answered + (session.scalar(query) or 0)


def log_count(run_id: int, number: int) -> None:
    """Append to the run's log of how many students the figures disagree: one line, for it may be
    all of them."""
    if not number:
        return
    with campus_language():
        text = _(
            "Angka dari API tidak cocok pada %(n)s siswa. Lihat daftar siswa dengan saringan "
            "“Angka tidak cocok”.",
            n=format_decimal(number),
        )
    run_log.append(run_id, "warning", "tidak_cocok", text)
