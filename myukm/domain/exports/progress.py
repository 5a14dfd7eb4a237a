"""The progress of an export, the same in JSON, on the page and in the stream."""

from typing import Any

from myukm.db.types import to_iso8601
from myukm.domain.exports.retention import expires_at
from myukm.live import event_log, pubsub
from myukm.live.topics import personal_topic
from myukm.models import Export
from myukm.models.export import ExportState


def as_json(export: Export) -> dict[str, Any]:
    """Return an export as JSON and as the events about it."""
    return {
        "id": export.id,
        "job_id": export.job_id,
        "kind": export.kind,
        "state": export.state,
        "total": export.total,
        "done": export.done,
        "percent": percent(export),
        "size": export.size,
        "reason": export.reason,
        "created_at": to_iso8601(export.created_at),
        "expires_at": to_iso8601(expires_at(export)),
        "url": f"{_page(export)}/{export.id}",
    }


def _page(export: Export) -> str:
    return f"/ukm/{export.query}/export" if export.kind == "zip" else "/admin/tunggakan/berkas"


def file_name(export: Export) -> str:
    """Return the name under which a browser saves an export."""
    return f"{export.query.lower() if export.kind == 'zip' else 'tunggakan'}.{export.kind}"


def percent(export: Export) -> int:
    """Return how many percent are written; at most 99 until the file is stored."""
    if export.state == ExportState.READY:
        return 100
    return min(99, 100 * export.done // export.total) if export.total else 0


def publish(export: Export) -> None:
    """Publish the progress to the pages of the account."""
    pubsub.publish_transient(personal_topic(export.user_id), "export.progress", as_json(export))


def append_end(export: Export) -> None:
    """Append the export's end to the event log, inside `transaction()`: unlike the progress it is
    replayed, so a page that was not connected gets it later."""
    event_log.append(personal_topic(export.user_id), "export.ended", as_json(export))
