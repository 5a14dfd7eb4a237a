"""Students for whom figures of the API disagree with its other figures: which they are, and the
run's log line about them."""

from flask_babel import lazy_gettext as _

from myukm.domain.payment_api.work_item import Item
from myukm.domain.sync import run_log
from myukm.sentences import lazy_decimal


def disagrees(item: Item) -> bool:
    """Return whether the student's figures disagree, in the answer or (if it is "not modified") in
    the stored payments."""
    if item.code:
        return False  # it failed or is quarantined: its figures were not stored
    return item.payments.owed.tidak_cocok if item.payments else bool(item.row.tidak_cocok)


def log_count(run_id: int, number: int) -> None:
    """Append the number of students whose figures disagree to the run's log. One line for all,
    because the figures of every student may disagree."""
    if not number:
        return
    text = _(
        "Angka dari API tidak cocok pada %(n)s siswa. Lihat daftar siswa dengan saringan "
        "“Angka tidak cocok”.",
        n=lazy_decimal(number),
    )
    run_log.append(run_id, "warning", "tidak_cocok", text)
