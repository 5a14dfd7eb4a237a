"""The runs of the past: what they did, what failed, what they changed."""

from datetime import datetime
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, stream_with_context
from flask_login import current_user

from myukm.domain.api import traffic
from myukm.domain.sync import payment_history, speed, sync_history, sync_trail
from myukm.live import log
from myukm.models.sync import LIVE
from myukm.web.access import LOOKERS, TREASURERS, roles, wants_json
from myukm.web.arguments import whole_number

bp = Blueprint("admin_sync_runs", __name__, url_prefix="/admin/sync-pembayaran/runs")


@bp.get("")
@roles(*LOOKERS)
def index() -> Any:
    """Show a page of the runs of the past, newest first."""
    page = sync_history.page_of_runs(whole_number("page") or 1)
    if wants_json():
        return jsonify(runs=page.items, page=page.page, pages=page.pages, total=page.total)
    return render_template("admin/sync/runs.html", page=page)


@bp.get("/<int:run_id>")
@roles(*LOOKERS)
def show(run_id: int) -> str:
    """Show one run, live: what was done with it, its figures, its course, its failures."""
    cursor = log.newest()
    found = sync_history.run(run_id)
    return render_template(
        "admin/sync/run.html",
        cursor=cursor,
        run=found,
        live=found["status"] in LIVE,
        causes=sync_history.causes(run_id),
        trail=sync_trail.of_run(run_id),
        traffic=traffic.of_run(run_id),
        average=speed.average(run_id),
        course=course(found),
        can_act=current_user.role in TREASURERS,
    )


@bp.get("/<int:run_id>/failures.csv")
@roles(*LOOKERS)
def failures_csv(run_id: int) -> Response:
    """Hand out the failed students of a run for a spreadsheet."""
    return spreadsheet(sync_history.failures_csv(run_id), f"sync-{run_id}-failures.csv")


@bp.get("/<int:run_id>/changes")
@roles(*LOOKERS)
def changes(run_id: int) -> Any:
    """Show a page of what a run changed, or a dry run would have, searched by `q`."""
    run, q = sync_history.run(run_id), request.args.get("q", "").strip()
    page = payment_history.of_run(run_id, q, whole_number("page") or 1)
    if wants_json():
        found = [payment_history.as_json(change) for change in page.items]
        return jsonify(changes=found, page=page.page, pages=page.pages, total=page.total)
    return render_template("admin/sync/changes.html", run=run, page=page, q=q)


@bp.get("/<int:run_id>/changes.csv")
@roles(*LOOKERS)
def changes_csv(run_id: int) -> Response:
    """Hand out what a run changed for a spreadsheet, searched by `q`."""
    sync_history.run(run_id)
    lines = payment_history.csv_of_run(run_id, request.args.get("q", "").strip())
    return spreadsheet(stream_with_context(lines), f"sync-{run_id}-changes.csv")


def spreadsheet(lines: Any, name: str) -> Response:
    """Return the lines of a CSV file as a download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(lines, mimetype="text/csv", headers=headers)


def course(progress: dict[str, Any]) -> dict[str, Any]:
    """Return what the chart of a run draws at first."""
    run_id, started_at = progress["run_id"], progress["started_at"]
    if run_id is None:
        return {"run": None, "points": []}
    return {"run": run_id, "points": speed.series(run_id, datetime.fromisoformat(started_at))}
