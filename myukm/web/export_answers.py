"""Responses about one export, for the exports of students and of UKMs."""

from typing import Any

from flask import Response, stream_with_context
from flask_babel import gettext as _

from myukm.domain.exports import progress, requests
from myukm.models import Export
from myukm.models.export import ExportState
from myukm.web.http.answers import redirect_or_json

TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


def accepted(export: Export, page: str) -> Any:
    """Return 202 and the address of the export that a job writes; redirect a browser to `page`."""
    state = progress.as_json(export)
    headers = {"Location": state["url"]}
    return redirect_or_json(page, state, status=202, headers=headers, prefer_json=True)


def file_or_state(export: Export, page: str) -> Any:
    """Return the file of the export. If it is not ready, return its state with 202, or 409 if it
    failed; redirect a browser to `page`."""
    if export.state == ExportState.READY:
        return _file(export)
    status = 409 if export.state == ExportState.FAILED else 202
    return redirect_or_json(page, progress.as_json(export), status=status, prefer_json=True)


def remove(export: Export, page: str) -> Any:
    """Delete the export, even while a job writes it. Return 204; redirect a browser to `page`."""
    requests.remove(export)
    return redirect_or_json(page, notice=_("Berkas dihapus."))


def _file(export: Export) -> Response:
    requests.check_right(export)
    headers = {
        "Content-Disposition": f'attachment; filename="{progress.file_name(export)}"',
        "Content-Length": str(export.size),
    }
    parts = stream_with_context(requests.read(export))
    return Response(parts, mimetype=TYPES[export.kind], headers=headers)
