"""The job that writes a large file, on the queue `default`."""

from myukm.domain.exports import writing
from myukm.jobs import with_app_context


@with_app_context
def write_export(export_id: int) -> None:
    """Write the file of an export."""
    writing.write(export_id)
