"""Translated names of RQ's states, for the tables of `flask queue`."""

from flask_babel import gettext as _


def state(name: str) -> str:
    """Return the translated name of a worker's state or a job's status, or `name` if unknown."""
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
