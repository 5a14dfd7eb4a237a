"""The pages of the payment sync and their calls."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from flask_babel import lazy_gettext as _
from flask_login import current_user

from myukm.domain.sync import anomaly_guard, commands, progress, run_log
from myukm.domain.sync.run_history import CODES
from myukm.errors import Invalid
from myukm.live import event_log
from myukm.web.admin.sync_runs import chart_data
from myukm.web.http.access import TREASURERS, VIEWERS, actor, json_view, roles

bp = Blueprint("admin_sync", __name__, url_prefix="/admin/sync-pembayaran")


@bp.get("")
@roles(*VIEWERS)
def index() -> str:
    """Show the current run, live. The cursor is taken first: nothing falls between the two."""
    cursor = event_log.latest_seq()
    now = progress.current()
    return render_template(
        "admin/sync/index.html",
        cursor=cursor,
        progress=now,
        course=chart_data(now),
        log=run_log.latest(now["run_id"]),
        held=anomaly_guard.count_quarantined(now["run_id"])
        if now["reason_code"] == anomaly_guard.CODE
        else 0,
        examples=anomaly_guard.examples(now["run_id"])
        if now["reason_code"] == anomaly_guard.CODE
        else [],
        can_act=current_user.role in TREASURERS,
    )


@bp.get("/progress")
@json_view
@roles(*VIEWERS)
def show_progress() -> Response:
    """Return the progress object."""
    return jsonify(progress.current())


@bp.post("/start")
@json_view
@roles(*TREASURERS)
def start() -> tuple[Response, int]:
    """Accept a run."""
    return jsonify(commands.start(actor(), **start_options())), 202


@bp.post("/retry-failed")
@json_view
@roles(*TREASURERS)
def retry_failed() -> tuple[Response, int]:
    """Accept a run over those that failed in the last one, all or for one cause (`code`)."""
    return jsonify(commands.retry_failed(actor(), failed_code(json_body()))), 202


@bp.post("/pause")
@json_view
@roles(*TREASURERS)
def pause() -> tuple[Response, int]:
    """Let the run rest."""
    return jsonify(commands.pause(actor())), 202


@bp.post("/resume")
@json_view
@roles(*TREASURERS)
def resume() -> tuple[Response, int]:
    """Let a paused run go on; `accept`: what the guard holds back is believed."""
    return jsonify(commands.resume(actor(), accept=json_body().get("accept") is True)), 202


@bp.post("/cancel")
@json_view
@roles(*TREASURERS)
def cancel() -> tuple[Response, int]:
    """End the run early."""
    return jsonify(commands.cancel(actor())), 202


@bp.post("/reset")
@json_view
@roles(*TREASURERS)
def reset() -> Response:
    """Show no run any more."""
    return jsonify(commands.reset(actor()))


def start_options() -> dict[str, Any]:
    """Return what the optional JSON body of `start` asks for. Raises `Invalid`."""
    body = json_body()
    dry_run, failed_of, chosen = (body.get(name) for name in ("dry_run", "failed_of", "idperson"))
    if not isinstance(dry_run, bool | None):
        raise Invalid(_("dry_run harus true atau false."), code="bad_dry_run")
    if failed_of is not None and type(failed_of) is not int:
        raise Invalid(_("failed_of harus nomor proses."), code="bad_failed_of")
    if chosen is not None and not _are_texts(chosen):
        raise Invalid(_("idperson harus daftar ID siswa."), code="bad_idperson")
    return {
        "dry_run": bool(dry_run),
        "failed_of": failed_of,
        "failed_code": failed_code(body) if failed_of is not None else None,
        "chosen": chosen,
    }


def json_body() -> dict[str, Any]:
    """Return the optional JSON object of the body. Raises `Invalid` for anything else.

    A form is refused, not overlooked: it may ask for a dry run.
    """
    body = request.get_json(silent=True) if request.content_length or request.data else {}
    if not isinstance(body, dict):
        raise Invalid(_("Kirimlah sebuah objek JSON."), code="bad_body")
    return body


def failed_code(body: dict[str, Any]) -> str | None:
    """Return the cause of failure that the body names. Raises `Invalid`."""
    code = body.get("code")
    if code is not None and not (isinstance(code, str) and code in CODES):
        raise Invalid(_("code harus sebab kegagalan."), code="bad_code")
    return code


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)
