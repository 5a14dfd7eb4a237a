"""Label, tone (color) and icon of each run status, for pages and commands."""

from collections.abc import Mapping
from typing import Any

from flask_babel import format_decimal
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


def run_status(run: Mapping[str, Any]) -> dict[str, str]:
    """Return label, tone and icon of a run (a progress object).

    A completed run with failures gets a label with their number and the tone "wait".
    """
    own, status = statuses()[run["status"]], run["status"]
    if status == Status.COMPLETED and run["failed"]:
        label = _("Selesai, %(n)s gagal", n=format_decimal(run["failed"]))
        return {"label": label, "tone": "wait", "icon": "warning"}
    if status == Status.CANCELLED and run["total"]:
        done, total = format_decimal(run["processed"]), format_decimal(run["total"])
        return own | {"label": _("Dibatalkan, %(done)s dari %(total)s", done=done, total=total)}
    return own


def status_label(status: str) -> str:
    """Return the label of a status."""
    return statuses()[status]["label"]
