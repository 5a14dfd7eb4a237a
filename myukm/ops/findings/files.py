"""Checks of the storage of the chat's files, which may be on another machine."""

import socket
from collections.abc import Iterator

from flask_babel import lazy_gettext as _
from sqlalchemy import select

from myukm.db.session import release_connection
from myukm.extensions import db
from myukm.models import ChatFile
from myukm.ops.findings import BROKEN, Finding
from myukm.storage import storage

NEWEST_DIGEST = (
    select(ChatFile.digest)
    .where(ChatFile.stored_at.is_not(None), ChatFile.message_id.is_not(None))
    .order_by(ChatFile.id.desc())
    .limit(1)
)


def unreadable() -> Iterator[Finding]:
    """The newest file of the chat cannot be read on this machine."""
    host = socket.gethostname()
    digest = db.session.scalar(NEWEST_DIGEST)
    release_connection()  # before the storage is read, which may take long
    try:
        if digest:
            storage().open(digest).close()
    except FileNotFoundError:
        if db.session.scalar(NEWEST_DIGEST) == digest:  # otherwise the file was deleted meanwhile
            yield _finding(
                _("Berkas chat yang terbaru tidak ditemukan di server %(host)s.", host=host)
            )
    except OSError as error:
        yield _finding(
            _(
                "Penyimpanan berkas chat tidak dapat dibaca di server %(host)s: %(why)s.",
                host=host,
                why=error.strerror or str(error) or type(error).__name__,
            )
        )


def not_answering(seconds: float) -> Finding:
    """Return the finding about a storage that has not answered for `seconds`."""
    return _finding(
        _(
            "Penyimpanan berkas chat tidak menjawab server %(host)s dalam %(seconds)d detik.",
            host=socket.gethostname(),
            seconds=seconds,
        )
    )


def _finding(message: object) -> Finding:
    return Finding(
        "files_unreadable",
        BROKEN,
        message,
        _(
            "Periksa FILES_URL di server ini: foldernya harus terpasang (mount) dan boleh dibaca, "
            "atau bucketnya menjawab."
        ),
        subject=socket.gethostname(),
        host=socket.gethostname(),
    )
