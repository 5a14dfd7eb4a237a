"""Decides which findings become alerts: those that last, get worse, stay broken, or are over."""

import logging
import socket
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from myukm.db.types import to_iso8601, utcnow
from myukm.domain.standstill import SeenTwice
from myukm.logs.outages import Outage
from myukm.ops import doctor
from myukm.ops.alerts import channels
from myukm.ops.alerts.handover import handover
from myukm.ops.alerts.outbox import outbox
from myukm.ops.alerts.records import KEY_LENGTH, Record, Records
from myukm.ops.doctor import Examination
from myukm.ops.findings import BROKEN, WARNING, Finding

REMIND_SECONDS = 6 * 3600.0
# In how many polls in a row a finding must be seen before it is published: more for findings that
# a restart of the program also causes.
POLLS, POLLS_AT_RESTARTS = 2, 4

logger = logging.getLogger(__name__)


class AlertMonitor:
    """Opens and resolves alerts. A finding opens one only after `polls_needed` polls in a row, so
    that a single slow poll alerts nobody."""

    def __init__(self) -> None:
        self.records = Records()
        self._gone = SeenTwice[str]()
        self._seen: dict[str, int] = {}
        self._loaded = self._rows_loaded = False
        self._outage = Outage(logger, "alerts are not stored yet")

    def evaluate(self) -> None:
        """Publish alerts that are new, worse or over, and store them if the database works."""
        examination = doctor.examine()
        database = doctor.DATABASE not in examination.unexamined
        self._load(database=database)
        configured = channels.configured()
        handover().load(configured)
        outbox().resume(configured)
        # Of several findings with one key the most severe is kept, which the doctor sorts first.
        found = {finding.key[:KEY_LENGTH]: finding for finding in reversed(examination.findings)}
        self._publish(found, examination)
        handover().save()  # first, because the records say that these messages were sent
        self.records.save()
        if database:
            self._store()

    def reset(self) -> None:
        """Drop the records, because another process polls now; the next evaluation loads them."""
        self._loaded = self._rows_loaded = False
        self.records = Records()

    def _load(self, *, database: bool) -> None:
        """Load the alerts of the process that polled before: its copy in Valkey, and the rows as
        soon as the database works."""
        if database and not self._rows_loaded:
            self.records.load_rows()
            self._rows_loaded = True
        if not self._loaded:
            self.records.load_copy()
            self._loaded = True

    def _publish(self, found: Mapping[str, Finding], examination: Examination) -> None:
        known, examined = self.records.open, examination.was_examined
        gone = known.keys() - found.keys() - {key[:KEY_LENGTH] for key in examination.hidden}
        over = {key for key in gone if examined(known[key].server, known[key].check)}
        for key in sorted(self._gone.of(over)):
            send(self.records.resolve(key), "over")
        self._seen = {key: self._seen.get(key, 0) + 1 for key in found}
        for key, finding in found.items():
            if key in known:
                self._update(known[key], finding)
            elif self._seen[key] >= polls_needed(finding):
                self._put(record_of(key, finding), "new")

    def _update(self, known: Record, finding: Finding) -> None:
        now = utcnow().timestamp()
        fresh = record_of(known.key, finding)
        is_broken = finding.level == BROKEN
        if (is_broken and known.level != BROKEN) or finding.extent > known.extent:
            self._put(replace(fresh, since=known.since), "worse")
        elif is_broken and now - known.sent_at > REMIND_SECONDS:
            self._put(replace(fresh, since=known.since), "reminder")
        else:  # another check may report it by now
            server, check = finding.server, finding.check
            self.records.open[known.key] = replace(known, server=server, check=check)

    def _put(self, record: Record, kind: str) -> None:
        self.records.put(record)
        send(record, kind)

    def _store(self) -> None:
        try:
            self.records.store()
        except SQLAlchemyError as error:
            self._outage.failed(error)
        else:
            self._outage.worked()


def polls_needed(finding: Finding) -> int:
    """Return how many polls in a row must have a finding before it is published."""
    may_be_a_restart = finding.level == WARNING or finding.code == "no_worker"
    return POLLS_AT_RESTARTS if may_be_a_restart else POLLS


def record_of(key: str, finding: Finding) -> Record:
    """Return the alert about a finding, published now."""
    shown = finding.as_json()
    now = utcnow()
    since = shown["since"] or str(to_iso8601(now))
    return Record(
        key,
        finding.code,
        shown["level"],
        shown["message"],
        shown["cure"],
        since,
        finding.server,
        finding.extent,
        now.timestamp(),
        translations=shown["translations"],
        check=finding.check,
    )


def send(record: Record, kind: str) -> None:
    """Send an alert by every channel. `kind` is new, worse, reminder or over."""
    outbox().put(message_of(record, kind), channels.configured())


def message_of(record: Record, kind: str) -> dict[str, Any]:
    """Return what the channels send."""
    kinds = {
        "new": "",
        "worse": _("Keadaannya memburuk:"),
        "reminder": _("Masih berlangsung:"),
        "over": _("Sudah berakhir:"),
        "test": _("Ini percobaan; tidak ada yang rusak."),
    }
    public = current_app.config["PUBLIC_URL"]
    return {
        **record.as_json(),
        "subject": record.key.partition(":")[2],
        "kind": kind,
        "kind_text": str(kinds[kind]),
        "host": socket.gethostname(),
        "url": f"{public.rstrip('/')}/admin/antrian" if public else "",
    }
