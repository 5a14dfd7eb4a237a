"""What each status of a run is called, on pages and by commands, and its meaning and icon."""

from flask_babel import gettext as _

from myukm.models.sync import Status


def statuses() -> dict[str, dict[str, str]]:
    """Return label, tone and icon of each status, in the reader's language."""
    return {
        "idle": {"label": _("Belum berjalan"), "tone": "neutral", "icon": "neutral"},
        Status.QUEUED: {"label": _("Menunggu antrian"), "tone": "wait", "icon": "wait"},
        Status.RUNNING: {"label": _("Berjalan"), "tone": "active", "icon": "sync"},
        Status.PAUSED: {"label": _("Dijeda"), "tone": "wait", "icon": "pause"},
        Status.CANCELLING: {"label": _("Sedang dibatalkan"), "tone": "wait", "icon": "stop"},
        Status.CANCELLED: {"label": _("Dibatalkan"), "tone": "neutral", "icon": "stop"},
        Status.COMPLETED: {"label": _("Selesai"), "tone": "good", "icon": "good"},
        Status.FAILED: {"label": _("Gagal"), "tone": "bad", "icon": "bad"},
    }


def status_label(status: str) -> str:
    """Return what a status is called."""
    return statuses()[status]["label"]
