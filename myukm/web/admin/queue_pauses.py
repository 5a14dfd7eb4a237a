"""The calls that pause and resume a queue, for admins."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify
from flask_babel import lazy_gettext as _

from myukm.domain import queue_pauses
from myukm.domain.actor import Actor
from myukm.errors import NotFound
from myukm.queues.jobs import QUEUES
from myukm.web.http.access import ADMINS, actor, json_view, roles

bp = Blueprint("admin_queue_pauses", __name__, url_prefix="/admin/antrian/<queue>")


@bp.post("/pause")
@json_view
@roles(*ADMINS)
def pause(queue: str) -> Any:
    """Let no job of the queue begin until it is resumed."""
    return _change(queue_pauses.pause, queue, paused=True)


@bp.post("/resume")
@json_view
@roles(*ADMINS)
def resume(queue: str) -> Any:
    """Let the jobs of the queue begin again."""
    return _change(queue_pauses.resume, queue, paused=False)


def _change(change: Callable[[Actor, str], bool], queue: str, *, paused: bool) -> Any:
    if queue not in QUEUES:
        raise NotFound(_("Tidak ada antrian ini."))
    changed = change(actor(), queue)
    return jsonify({"queue": queue, "paused": paused, "changed": changed})
