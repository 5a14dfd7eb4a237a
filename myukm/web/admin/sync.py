"""The sync page and its calls."""

import msgspec
from flask import Blueprint, Response, jsonify, render_template
from flask_babel import lazy_gettext as _
from flask_login import current_user

from myukm.domain.sync import anomaly_guard, commands, progress, run_log, schedule
from myukm.domain.sync.run_history import CODES
from myukm.errors import Invalid
from myukm.live import event_log
from myukm.sentences import localized
from myukm.web.admin.sync_runs import chart_data
from myukm.web.http.access import TREASURERS, VIEWERS, actor, json_view, roles
from myukm.web.http.body import takes

bp = Blueprint("admin_sync", __name__, url_prefix="/admin/sync-pembayaran")


class StartSync(msgspec.Struct):
    """Which students to sync: all, a list, or those that failed in a run (for one cause, `code`).

    With `dry_run` no student's data is written.
    """

    dry_run: bool | None = None
    failed_of: int | None = None
    code: str | None = None
    idperson: list[str] | None = None


class RetryFailed(msgspec.Struct):
    """Which failed students to sync again: those that failed for the cause `code`, or all."""

    code: str | None = None


class Resume(msgspec.Struct):
    """Whether the answers that the guard quarantined are accepted."""

    accept: bool = False


@bp.get("")
@roles(*VIEWERS)
def index() -> str:
    """Show the current run. The cursor is read before the state, so no event is missed."""
    cursor = event_log.latest_seq()
    current = localized(progress.current())
    return render_template(
        "admin/sync/index.html",
        cursor=cursor,
        progress=current,
        chart=chart_data(current),
        next_time=next(iter(schedule.next_times(1)), None),
        log=[localized(line) for line in run_log.latest(current["run_id"])],
        held=anomaly_guard.count_quarantined(current["run_id"])
        if current["reason_code"] == anomaly_guard.CODE
        else 0,
        examples=anomaly_guard.examples(current["run_id"])
        if current["reason_code"] == anomaly_guard.CODE
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
@takes(StartSync)
def start(sent: StartSync) -> tuple[Response, int]:
    """Start a run; 202."""
    if sent.code is not None and sent.failed_of is None:
        raise Invalid(_("code hanya berlaku bersama failed_of."), code="bad_code")
    accepted = commands.start(
        actor(),
        dry_run=bool(sent.dry_run),
        failed_of=sent.failed_of,
        failed_code=check_code(sent.code),
        selected_ids=sent.idperson,
    )
    return jsonify(accepted), 202


@bp.post("/retry-failed")
@json_view
@roles(*TREASURERS)
@takes(RetryFailed)
def retry_failed(sent: RetryFailed) -> tuple[Response, int]:
    """Start a run over the students that failed in the last run, all or for `code`; 202."""
    return jsonify(commands.retry_failed(actor(), check_code(sent.code))), 202


@bp.post("/pause")
@json_view
@roles(*TREASURERS)
def pause() -> tuple[Response, int]:
    """Pause the run."""
    return jsonify(commands.pause(actor())), 202


@bp.post("/resume")
@json_view
@roles(*TREASURERS)
@takes(Resume)
def resume(sent: Resume) -> tuple[Response, int]:
    """Resume a paused run; `accept` also believes the answers that the guard quarantined."""
    return jsonify(commands.resume(actor(), accept=sent.accept)), 202


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


def check_code(code: str | None) -> str | None:
    """Return the cause of failure. Raises `Invalid` if there is no such cause."""
    if code is not None and code not in CODES:
        raise Invalid(_("code harus sebab kegagalan."), code="bad_code")
    return code
