"""The history of runs: figures, failures, changes."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, stream_with_context
from flask_login import current_user

from myukm.domain import activity
from myukm.domain.sync import payment_history, run_history, throughput
from myukm.domain.sync.request_stats import of_run
from myukm.live import event_log
from myukm.models.sync import LIVE
from myukm.sentences import localized
from myukm.web.http.access import TREASURERS, VIEWERS, roles, wants_json
from myukm.web.http.answers import page_numbers
from myukm.web.http.request_parsing import whole_number

bp = Blueprint("admin_sync_runs", __name__, url_prefix="/admin/sync-pembayaran/runs")


@bp.get("")
@roles(*VIEWERS)
def index() -> Any:
    """Show a page of runs, newest first."""
    page = run_history.page_of_runs(whole_number("page") or 1)
    if wants_json():
        return jsonify(runs=page.items, **page_numbers(page))
    return render_template("admin/sync/runs.html", page=page)


@bp.get("/<int:run_id>")
@roles(*VIEWERS)
def show(run_id: int) -> str:
    """Show one run: actions, figures, chart, failures. A live run is updated by events."""
    cursor = event_log.latest_seq()
    found = localized(run_history.run(run_id))
    return render_template(
        "admin/sync/run.html",
        cursor=cursor,
        run=found,
        live=found["status"] in LIVE,
        causes=run_history.causes(run_id),
        trail=activity.of_run(run_id),
        traffic=of_run(run_id),
        average=throughput.average(run_id),
        chart=chart_data(found),
        can_act=current_user.role in TREASURERS,
    )


@bp.get("/<int:run_id>/failures.csv")
@roles(*VIEWERS)
def failures_csv(run_id: int) -> Response:
    """Return the failed students of a run as CSV."""
    lines = run_history.failures_csv(run_id)
    return spreadsheet(stream_with_context(lines), f"sync-{run_id}-failures.csv")


@bp.get("/<int:run_id>/changes")
@roles(*VIEWERS)
def changes(run_id: int) -> Any:
    """Show a page of a run's changes that match `q`; a dry run lists what it would change."""
    run, q = run_history.run(run_id), request.args.get("q", "").strip()
    page = payment_history.of_run(run_id, q, whole_number("page") or 1)
    if wants_json():
        found = [payment_history.as_json(change) for change in page.items]
        return jsonify(changes=found, **page_numbers(page))
    return render_template("admin/sync/changes.html", run=run, page=page, q=q)


@bp.get("/<int:run_id>/changes.csv")
@roles(*VIEWERS)
def changes_csv(run_id: int) -> Response:
    """Return a run's changes that match `q` as CSV."""
    run_history.run(run_id)
    lines = payment_history.csv_of_run(run_id, request.args.get("q", "").strip())
    return spreadsheet(stream_with_context(lines), f"sync-{run_id}-changes.csv")


def spreadsheet(lines: Any, name: str) -> Response:
    """Return CSV lines as a download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(lines, mimetype="text/csv", headers=headers)


def chart_data(progress: dict[str, Any]) -> dict[str, Any]:
    """Return the points and labels with which the run's chart starts."""
    run_id, started_at = progress["run_id"], progress["started_at"]
    if run_id is None:
        return {"run": None, "points": []}
    return {
        "run": run_id,
        "points": throughput.chart_points(run_id, datetime.fromisoformat(started_at)),
    }
