"""The last log lines of all processes, for operators."""

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from flask_babel import lazy_gettext as _
from flask_login import current_user
from redis.exceptions import RedisError

from myukm.errors import Unavailable
from myukm.extensions import valkey
from myukm.logs import log_stream
from myukm.logs.log_stream import Wanted
from myukm.queues.jobs import QUEUES
from myukm.web.http.access import ADMINS, OPERATORS, roles, wants_json
from myukm.web.http.request_parsing import form_number

_UNREACHABLE = _("Valkey tidak menjawab. Coba lagi sebentar lagi.")
LEVELS = ("INFO", "WARNING", "ERROR")
PROCESSES = ("web", "worker", *QUEUES, "watch", "rq", "flask")

bp = Blueprint("admin_log", __name__, url_prefix="/admin/log")


@bp.get("")
@roles(*OPERATORS)
def index() -> Any:
    """Show the newest lines that match, or return them as JSON; with `after` (an id) newer ones.

    In JSON `cursor` is the id to send as `after` next time, and `skipped` says that more than
    `log_stream.MAX_READ` lines matched and older ones are left out.
    """
    wanted, after = _wanted(), request.args.get("after", "")
    after = after if log_stream.is_id(after) else ""
    try:
        found = log_stream.read(valkey(), wanted, after=after)
    except RedisError:
        if wants_json():
            raise Unavailable(_UNREACHABLE) from None
        found = None
    if wants_json():
        return jsonify(found)
    return render_template(
        "admin/log/index.html", found=found, wanted=wanted, levels=LEVELS, processes=PROCESSES
    )


def _wanted() -> Wanted:
    """Return the filters of the address. The security log is for admins, as the audit trail is."""
    level = request.args.get("level", "")
    return Wanted(
        level=level if level in LEVELS else "",
        process=request.args.get("process", "").strip(),
        run=form_number("run"),
        request_id=request.args.get("request", "").strip(),
        text=request.args.get("q", "").strip(),
        security=current_user.role in ADMINS,
    )
