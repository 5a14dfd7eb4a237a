"""What RQ's states are called, on the queues' page and by `flask queue`, and their meaning."""

from flask_babel import gettext as _


def states() -> dict[str, dict[str, str]]:
    """Return label, tone and icon (the tone's where none is named) of workers' and jobs' states."""
    return {
        "idle": {"label": _("siap"), "tone": "good"},
        "busy": {"label": _("bekerja"), "tone": "active", "icon": "sync"},
        "suspended": {"label": _("ditangguhkan"), "tone": "wait"},
        "dead": {"label": _("mati"), "tone": "bad"},
        "queued": {"label": _("menunggu"), "tone": "wait"},
        "scheduled": {"label": _("dijadwalkan"), "tone": "wait"},
        "started": {"label": _("berjalan"), "tone": "active", "icon": "sync"},
        "finished": {"label": _("selesai"), "tone": "good"},
        "failed": {"label": _("gagal"), "tone": "bad"},
        "stopped": {"label": _("dihentikan"), "tone": "neutral"},
        "canceled": {"label": _("dibatalkan"), "tone": "neutral"},
    }


def state_label(name: str) -> str:
    """Return what a state is called; one that we do not know stays as it is."""
    return states().get(name, {"label": name})["label"]
