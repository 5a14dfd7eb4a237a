"""What RQ's states are called in the tables of `flask queue`."""

from flask_babel import gettext as _


def state(name: str) -> str:
    """Return the word for a worker's state or a job's status; one without a word stays as it is."""
    words = {
        "idle": _("siap"),
        "busy": _("bekerja"),
        "suspended": _("ditangguhkan"),
        "dead": _("mati"),
        "queued": _("menunggu"),
        "scheduled": _("dijadwalkan"),
        "started": _("berjalan"),
        "finished": _("selesai"),
        "failed": _("gagal"),
        "stopped": _("dihentikan"),
        "canceled": _("dibatalkan"),
    }
    return str(words.get(name, name))
