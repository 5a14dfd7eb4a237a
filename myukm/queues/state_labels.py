"""Labels of RQ's states, for the queues' page and `flask queue`."""

from flask_babel import gettext as _


def states() -> dict[str, dict[str, str]]:
    """Return label, tone and icon (default: the tone's) of each state of workers and jobs."""
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
    """Return the label of a state; an unknown state is returned unchanged."""
    return states().get(name, {"label": name})["label"]
