"""The pages of the payment sync and their calls."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from flask_babel import lazy_gettext as _
from flask_login import current_user

from myukm.domain.sync import guard, progress, sync_log, sync_pembayaran
from myukm.domain.sync.sync_history import CODES
from myukm.errors import Invalid
from myukm.live import log
from myukm.web.access import LOOKERS, TREASURERS, actor, json_call, roles
from myukm.web.admin_sync_runs import course

bp = Blueprint("admin_sync", __name__, url_prefix="/admin/sync-pembayaran")


@bp.get("")
@roles(*LOOKERS)
def index() -> str:
    """Show the current run, live. The cursor is taken first: nothing falls between the two."""
    cursor = log.newest()
    now = progress.current()
    return render_template(
        "admin/sync/index.html",
        cursor=cursor,
        progress=now,
        course=course(now),
        log=sync_log.recent(now["run_id"]),
        held=guard.held(now["run_id"]) if now["reason_code"] == guard.CODE else 0,
        examples=guard.examples(now["run_id"]) if now["reason_code"] == guard.CODE else [],
        can_act=current_user.role in TREASURERS,
    )


@bp.get("/progress")
@json_call
@roles(*LOOKERS)
def show_progress() -> Response:
    """Return the progress object."""
    return jsonify(progress.current())


@bp.post("/start")
@json_call
@roles(*TREASURERS)
def start() -> tuple[Response, int]:
    """Accept a run."""
    return jsonify(sync_pembayaran.start(actor(), **wishes())), 202


@bp.post("/retry-failed")
@json_call
@roles(*TREASURERS)
def retry_failed() -> tuple[Response, int]:
    """Accept a run over those that failed in the last one, all or for one cause (`code`)."""
    return jsonify(sync_pembayaran.retry_failed(actor(), failed_code(sent()))), 202


@bp.post("/pause")
@json_call
@roles(*TREASURERS)
def pause() -> tuple[Response, int]:
    """Let the run rest."""
    return jsonify(sync_pembayaran.pause(actor())), 202


@bp.post("/resume")
@json_call
@roles(*TREASURERS)
def resume() -> tuple[Response, int]:
    """Let a paused run go on; `accept`: what the guard holds back is believed."""
    return jsonify(sync_pembayaran.resume(actor(), accept=sent().get("accept") is True)), 202


@bp.post("/cancel")
@json_call
@roles(*TREASURERS)
def cancel() -> tuple[Response, int]:
    """End the run early."""
    return jsonify(sync_pembayaran.cancel(actor())), 202


@bp.post("/reset")
@json_call
@roles(*TREASURERS)
def reset() -> Response:
    """Show no run any more."""
    return jsonify(sync_pembayaran.reset(actor()))


def wishes() -> dict[str, Any]:
    """Return what the optional JSON body of `start` asks for. Raises `Invalid`."""
    body = sent()
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


def sent() -> dict[str, Any]:
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
