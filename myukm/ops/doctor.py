"""The doctor runs every check and returns the findings, most severe and most likely cause first.

`flask queue doctor`, the queues page, alerts and metrics all read these findings. An examination
takes at most `EXAMINE_SECONDS`, whatever hangs.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from flask import current_app

from myukm.cache import ttl_cache
from myukm.ops.causes import causes
from myukm.ops.effects import with_effects
from myukm.ops.examiner import CHECK_SECONDS, Check, Examiner
from myukm.ops.findings import (
    BROKEN,
    WARNING,
    Finding,
    alerts,
    application,
    backups,
    database,
    database_writes,
    files,
    host,
    pauses,
    processes,
    production,
    push,
    queues,
    sessions,
    strangers,
    sync,
    valkey,
    valkey_state,
    workers,
)
from myukm.ops.first_seen import with_since

DATABASE, VALKEY, HOST, FILES = "database", "valkey", "host", "files"
# Each check with the server that it queries. The most likely causes come first.
CHECKS: Mapping[Check, str] = {
    valkey.unreachable: VALKEY,
    database.unreachable: DATABASE,
    database.outdated: DATABASE,
    sessions.blocked: DATABASE,
    sessions.settings: DATABASE,
    sessions.connections: DATABASE,
    database_writes.refuses_writes: DATABASE,
    database_writes.nobody_leads: DATABASE,
    valkey.refuses_writes: VALKEY,
    queues.suspended: VALKEY,
    queues.not_served: VALKEY,
    queues.not_consumed: VALKEY,
    queues.overdue: VALKEY,
    workers.hung: VALKEY,
    pauses.paused: DATABASE,
    strangers.wrong_database: DATABASE,
    strangers.other_version: VALKEY,
    sync.stalled: DATABASE,
    sync.paused: DATABASE,
    sync.many_failed: DATABASE,
    sync.schedule_missed: DATABASE,
    application.chat: DATABASE,
    application.payment_api: DATABASE,
    application.attacks: DATABASE,
    valkey.memory: VALKEY,
    valkey_state.slow: VALKEY,
    valkey_state.not_persistent: VALKEY,
    valkey_state.restarts: VALKEY,
    processes.no_web: VALKEY,
    processes.restarts: VALKEY,
    processes.descriptors: VALKEY,
    processes.memory: VALKEY,
    processes.held_back: VALKEY,
    production.weak_secret: HOST,
    production.demo_accounts: DATABASE,
    backups.old: DATABASE,
    database.event_log: DATABASE,
    host.clocks: VALKEY,
    host.secret_keys: VALKEY,
    host.disk: HOST,
    files.unreadable: FILES,
    valkey.sentinels: HOST,
    alerts.undelivered: VALKEY,
    push.undelivered: VALKEY,
    workers.dead: VALKEY,
    workers.unnamed: VALKEY,
    workers.failed: VALKEY,
}
# For checks that do not return because their server does not answer: the finding about the server.
NOT_ANSWERING: Mapping[Check, Callable[[float], Finding]] = {
    database.unreachable: database.not_answering,
    files.unreadable: files.not_answering,
}
SEVERITY = (BROKEN, WARNING)
EXAMINE_SECONDS = 6.0


def report() -> dict[str, Any]:
    """Return `status` ("ok", "warning" or "broken") and `findings`, in each language."""
    findings = examine().findings
    return {
        "status": findings[0].level if findings else "ok",
        "findings": [finding.as_json() for finding in findings],
    }


class Examination(NamedTuple):
    """What an examination found.

    `unexamined` are the servers with checks that did not run, `failed` the names of checks that
    ended with an error, for example because they query a second server: findings of both may be
    missing. `hidden` are the keys of findings that were left out, because they follow from another
    finding.
    """

    findings: Sequence[Finding]
    unexamined: frozenset[str]
    failed: frozenset[str]
    hidden: frozenset[str]

    def was_examined(self, server: str, check: str) -> bool:
        """Return whether a check of a server ran to its end. Without names (unknown): whether every
        check did."""
        if not server:
            return not self.unexamined and not self.failed
        return server not in self.unexamined and check not in self.failed


def examine() -> Examination:
    """Return what is wrong now, from a result that is at most two seconds old."""
    return _examine_now()


def is_database_readable(report: Mapping[str, Any]) -> bool:
    """Return whether this process can read the database, according to this report."""
    codes = ("database_unreachable", "database_pool_exhausted", "database_locked")
    return not any(f["code"] in codes and f["level"] == BROKEN for f in report["findings"])


@ttl_cache(2.0)
def _examine_now() -> Examination:
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    examiners: dict[str, Examiner] = app.extensions.setdefault("examiners", {})
    for server in (DATABASE, VALKEY, HOST, FILES):
        if server not in examiners:
            checks = [check for check, queried in CHECKS.items() if queried == server]
            decides = server in (DATABASE, VALKEY)  # whose first check is whether they answer
            examiners[server] = Examiner(checks, _hangs, _crashes, first_decides=decides)
        examiners[server].start(app)
    deadline = time.monotonic() + EXAMINE_SECONDS
    results = [examiner.findings(deadline) for examiner in examiners.values()]
    every = [
        replace(finding, server=server, check=_name(check))
        for check, server in CHECKS.items()
        for by_check in results
        for finding in by_check.get(check, ())
    ]
    shown = with_effects(with_since(causes(every)))
    return Examination(
        sorted(shown, key=lambda finding: SEVERITY.index(finding.level)),
        frozenset(server for server, each in examiners.items() if not each.is_complete),
        frozenset(_name(check) for each in examiners.values() for check in each.failed),
        frozenset({each.key for each in every} - {each.key for each in shown}),
    )


def _hangs(check: Check) -> Finding:
    """Return the finding about a check that did not return."""
    if check in NOT_ANSWERING:
        return NOT_ANSWERING[check](CHECK_SECONDS)
    if CHECKS[check] == DATABASE:
        return database_writes.locked()
    return host.check_hangs(_name(check), CHECK_SECONDS)


def _crashes(check: Check, error: Exception) -> Finding:
    """Return the finding about a check with an error of its own."""
    return host.check_crashes(_name(check), error)


def _name(check: Check) -> str:
    return f"{check.__module__.rpartition('.')[2]}.{check.__name__}"
