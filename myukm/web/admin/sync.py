"""The sync page and its calls."""

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
    """Show the current run. The cursor is read before the state, so no event is missed."""
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
    """Start a run; 202."""
    return jsonify(commands.start(actor(), **start_options())), 202


@bp.post("/retry-failed")
@json_view
@roles(*TREASURERS)
def retry_failed() -> tuple[Response, int]:
    """Start a run over the failed students of the last one, or those failed for `code`; 202."""
    return jsonify(commands.retry_failed(actor(), failed_code(json_body()))), 202


@bp.post("/pause")
@json_view
@roles(*TREASURERS)
def pause() -> tuple[Response, int]:
    """Pause the run."""
    return jsonify(commands.pause(actor())), 202


@bp.post("/resume")
@json_view
@roles(*TREASURERS)
def resume() -> tuple[Response, int]:
    """Resume a paused run; `accept` also believes the answers that the guard quarantined."""
    return jsonify(commands.resume(actor(), accept=json_body().get("accept") is True)), 202


@bp.post("/cancel")
@json_view
@roles(*TREASURERS)
def cancel() -> tuple[Response, int]:
    """Cancel the run."""
    return jsonify(commands.cancel(actor())), 202


@bp.post("/reset")
@json_view
@roles(*TREASURERS)
def reset() -> Response:
    """Hide the finished run from the page."""
    return jsonify(commands.reset(actor()))


def start_options() -> dict[str, Any]:
    """Return the options in the optional JSON body of `start`. Raises `Invalid`."""
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
        "selected_ids": chosen,
    }


def json_body() -> dict[str, Any]:
    """Return the optional JSON object of the body, {} if there is none.

    Raises `Invalid` for anything else. A form is refused rather than ignored, because it may ask
    for a dry run.
    """
    body = request.get_json(silent=True) if request.content_length or request.data else {}
    if not isinstance(body, dict):
        raise Invalid(_("Kirimlah sebuah objek JSON."), code="bad_body")
    return body


def failed_code(body: dict[str, Any]) -> str | None:
    """Return the failure code in the body, None if absent. Raises `Invalid`."""
    code = body.get("code")
    if code is not None and not (isinstance(code, str) and code in CODES):
        raise Invalid(_("code harus sebab kegagalan."), code="bad_code")
    return code


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) for part in value)
