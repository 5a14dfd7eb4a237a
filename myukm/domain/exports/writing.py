"""Writes an export, or a portion of it, while a thread increments its heartbeat."""

import errno
import logging
import tempfile
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import IO, Self

from flask import Flask, current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from myukm.db.session import on_commit, transaction
from myukm.db.troubles import FULL, kind_of
from myukm.domain.exports import archive, progress, requests, store
from myukm.domain.siswa.filters import Filters
from myukm.domain.siswa.listing_files import write_csv, write_xlsx
from myukm.errors import DomainError
from myukm.extensions import db
from myukm.logs.outages import Outage
from myukm.models import Export

HEARTBEAT_SECONDS = 0.5
Writer = Callable[[Filters, IO[bytes], Callable[[int], None]], None]
WRITERS: Mapping[str, Writer] = {"csv": write_csv, "xlsx": write_xlsx}

logger = logging.getLogger(__name__)


def write(export_id: int) -> None:
    """Write an export, unless it is deleted, ended, or held by another job."""
    held = store.claim(export_id)
    if held is None:
        return
    try:
        with force_locale(held.lang):
            _write(held)
    except store.HolderLostError:
        logger.info("export %d: deleted, or given to another job", export_id)


def _write(held: store.Held) -> None:
    """Write the export, or end it with the reason why it cannot be written."""
    try:
        with Heartbeat(held) as heartbeat:
            if held.kind == requests.ARCHIVE:
                archive.write_portion(held, heartbeat.progress)
            else:
                _write_list(held, heartbeat)
    except DomainError as error:
        store.fail(held, str(error))
    except (OSError, DBAPIError) as error:
        if not _is_full(error):
            raise
        logger.warning("export %d: no space left: %s", held.id, error)
        db.session.rollback()
        store.fail(held, _("Tidak ada ruang lagi di server untuk berkas ini. Hubungi operator."))


def _write_list(held: store.Held, heartbeat: "Heartbeat") -> None:
    with tempfile.TemporaryFile() as file:
        WRITERS[held.kind](requests.filters_of(held), file, heartbeat.progress)
        store.save(held, file)


def _is_full(error: OSError | DBAPIError) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return kind_of(error) == FULL


class Heartbeat:
    """Increments the heartbeat of an export, and publishes its progress, in a thread of its own."""

    def __init__(self, held: store.Held) -> None:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._held, self._done = held, held.done
        self._stopped, self._lost = threading.Event(), False
        self._thread = threading.Thread(target=self._run, args=(app,), name="export", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join()

    def progress(self, done: int) -> None:
        """Set how many entries are written. Raises `HolderLostError` if this job does not
        hold the export any more."""
        self._done = done
        if self._lost:
            raise store.HolderLostError

    def _run(self, app: Flask) -> None:
        outage = Outage(logger, f"export {self._held.id}: no heartbeat")
        with app.app_context():
            while not self._stopped.wait(HEARTBEAT_SECONDS):
                try:
                    self._send()
                except store.HolderLostError:
                    self._lost = True
                    return
                except SQLAlchemyError as error:
                    outage.failed(error)
                    db.session.rollback()
                else:
                    outage.worked()

    def _send(self) -> None:
        with transaction() as session:
            done = min(self._done, self._held.total)  # the list may have grown since the request
            store.raise_heartbeat(session, self._held, done=done)
            export = session.get_one(Export, self._held.id, populate_existing=True)
            on_commit(progress.publish, export)
