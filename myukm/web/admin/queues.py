"""The queues page for operators, and rq-dashboard behind permission checks."""

from pickle import UnpicklingError
from typing import Any

import redis
from flask import Blueprint, Response, abort, jsonify, render_template, request
from flask_babel import lazy_gettext as _
from rq.exceptions import DeserializationError, InvalidJobOperation, NoSuchJobError

from myukm.db.session import transaction
from myukm.domain import activity
from myukm.errors import Conflict, Invalid, NotFound, Unavailable
from myukm.ops import dashboard, doctor, stats
from myukm.ops.alerts import records
from myukm.ops.history import series
from myukm.queues.restricted_job import JobNotAllowedError
from myukm.queues.state_labels import states
from myukm.sentences import localized
from myukm.web.admin.list_formats import shown
from myukm.web.http.access import ADMINS, OPERATORS, actor, json_view, roles, wants_json
from myukm.web.http.errors import domain_error
from myukm.web.http.security import DASHBOARD, SAFE

ALERTS_SHOWN = 20

bp = Blueprint("admin_queues", __name__)
bp.add_app_template_filter(shown)
# rq-dashboard's calls that requeue all failed jobs and that empty a queue. REQUEUE_ALL also accepts
# GET, which `guard_dashboard` refuses.
REQUEUE_ALL, EMPTY = f"{dashboard.NAME}.requeue_all", f"{dashboard.NAME}.empty_queue"


@bp.record
def _mount_dashboard(state: Any) -> None:
    dashboard.mount(state.app, DASHBOARD.rstrip("/"))


@bp.get("/admin/antrian")
@roles(*OPERATORS)
def index() -> Any:
    """Show the queue statistics and the doctor's findings."""
    health, report = stats.health(), doctor.report()
    if wants_json():
        return jsonify({**health, "doctor": report})
    requested = request.args.get("range", "hour")
    chosen = requested if requested in series.RANGES else "hour"
    return render_template(
        "admin/queues/index.html",
        health=health,
        findings=[localized(each) for each in report["findings"]],
        states=states(),
        alerts=records.recent(ALERTS_SHOWN),
        ranges=series.RANGES,
        range=chosen,
        history_state="empty" if series.is_empty(chosen) else "loading",
    )


@bp.get("/admin/antrian/history")
@json_view
@roles(*OPERATORS)
def history() -> Any:
    """Return the history of the queues over the last `range`: hour, day, month or quarter."""
    wanted = request.args.get("range", "hour")
    if wanted not in series.RANGES:
        raise Invalid(_("Rentang %(range)s tidak dikenal.", range=wanted[:20]))
    return Response(series.as_json(wanted), content_type="application/json")


@bp.before_app_request
def guard_dashboard() -> Any:
    """Allow operators to read and admins to act; refuse arguments that crash rq-dashboard."""
    if request.blueprint != dashboard.NAME:
        return None
    if request.endpoint == REQUEUE_ALL and request.method in SAFE:
        abort(405)
    allowed = OPERATORS if request.method in SAFE else ADMINS
    if refused := roles(*allowed)(lambda: None)():
        return refused
    arguments = request.view_args or {}
    if not dashboard.is_sane(arguments):
        abort(404)
    if request.endpoint == EMPTY and arguments["registry_name"] == "started":
        raise Conflict(_("Pekerjaan yang sedang berjalan tidak bisa dikosongkan."))
    return None


@bp.after_app_request
def record_action(response: Response) -> Response:
    """Record an admin's action in the activity log, because rq-dashboard knows no users."""
    acted = request.blueprint == dashboard.NAME and request.method not in SAFE
    if acted and response.status_code < 400:
        action = (request.endpoint or "").rpartition(".")[2].removesuffix("_view")
        with transaction():
            activity.record(
                actor(),
                f"queue.{action}",
                " ".join(map(str, (request.view_args or {}).values())),
            )
    return response


@bp.app_errorhandler(NoSuchJobError)
def job_is_gone(_error: NoSuchJobError) -> Any:
    """Answer 404: the job has expired."""
    return domain_error(NotFound(_("Pekerjaan ini sudah tidak ada.")))


@bp.app_errorhandler(InvalidJobOperation)
def job_state_conflicts(_error: InvalidJobOperation) -> Any:
    """Answer 409: the job's state does not allow the action, such as retrying a running one."""
    return domain_error(Conflict(_("Itu tidak bisa dilakukan pada pekerjaan ini sekarang.")))


@bp.app_errorhandler(JobNotAllowedError)
@bp.app_errorhandler(DeserializationError)
@bp.app_errorhandler(UnpicklingError)
def job_is_foreign(_error: Exception) -> Any:
    """Answer 409: the job in Valkey is none of this program's JOBS."""
    return domain_error(Conflict(_("Pekerjaan ini bukan milik program ini."), code="foreign_job"))


@bp.app_errorhandler(redis.ConnectionError)
@bp.app_errorhandler(redis.TimeoutError)
def valkey_is_unreachable(_error: redis.RedisError) -> Any:
    """Answer 503: Valkey is unreachable."""
    return domain_error(Unavailable(_("Valkey tidak menjawab. Coba lagi sebentar lagi.")))
