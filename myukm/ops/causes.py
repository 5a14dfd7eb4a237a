"""Reduces the doctor's findings to causes: leaves out a finding that follows from another one."""

from collections.abc import Sequence
from dataclasses import replace

from myukm.ops.findings import BROKEN, Finding

QUEUE_FINDINGS = {
    "no_worker",
    "worker_died",
    "worker_stuck",
    "queue_slow",
    "jobs_failed",
    "job_hung",
}
RUN_AND_CHAT_FINDINGS = {"sync_still", "chat_unpublished"}
# Findings that follow from a broken database.
DATABASE_CONSEQUENCES = RUN_AND_CHAT_FINDINGS | {
    "nobody_leads",
    "database_slow",
    "jobs_failed",
    "files_unreadable",
}
# The findings that follow from each cause.
CONSEQUENCES = {
    "valkey_unreachable": {*QUEUE_FINDINGS, "nobody_leads"},
    "valkey_memory": QUEUE_FINDINGS,
    "valkey_replica": QUEUE_FINDINGS,
    "valkey_cannot_save": {*QUEUE_FINDINGS, "valkey_unreachable"},
    "database_unreachable": {"files_unreadable"},
    "database_readonly": DATABASE_CONSEQUENCES,
    "database_full": DATABASE_CONSEQUENCES,
    "database_corrupt": DATABASE_CONSEQUENCES,
    "database_locked": DATABASE_CONSEQUENCES,
    "database_blocked": {*DATABASE_CONSEQUENCES, "database_locked"},
    "database_too_many_connections": DATABASE_CONSEQUENCES,
    "database_replaced": DATABASE_CONSEQUENCES,
    "migrations": {"check_crashes"},
    "job_hung": RUN_AND_CHAT_FINDINGS,
    "wrong_database": RUN_AND_CHAT_FINDINGS,
    "workers_suspended": RUN_AND_CHAT_FINDINGS,
}


def causes(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings without those that follow from another finding whose level is broken.

    The finding of a stalled run has the code of its cause. If the cause is a finding, too, the two
    become one, with the level broken and with the people of the stalled run.
    """
    broken = {finding.code for finding in findings if finding.level == BROKEN}
    follow = {code for cause in broken for code in CONSEQUENCES.get(cause, ())}
    kept: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.code, finding.subject)
        if finding.code in follow:
            continue
        if key not in kept:
            kept[key] = finding
        elif finding.level == BROKEN:
            people = kept[key].people if finding.people is None else finding.people
            kept[key] = replace(kept[key], level=BROKEN, people=people)
    return list(kept.values())
