"""Reduces the doctor's findings to causes: a finding that follows from another one is left out."""

from collections.abc import Sequence
from dataclasses import replace

from myukm.ops.findings import BROKEN, Finding

# Findings about queues, about runs and chat, and those that follow from a broken database.
QUEUES = {
    "no_worker",
    "worker_died",
    "worker_stuck",
    "queue_slow",
    "jobs_failed",
    "job_hung",
}
RUNS = {"sync_still", "chat_unpublished"}
OF_THE_DATABASE = RUNS | {
    "nobody_leads",
    "database_slow",
    "jobs_failed",
    "files_unreadable",
}
# The findings that follow from each cause.
CONSEQUENCES = {
    "valkey_unreachable": {*QUEUES, "nobody_leads"},
    "valkey_memory": QUEUES,
    "valkey_replica": QUEUES,
    "valkey_cannot_save": {*QUEUES, "valkey_unreachable"},
    "database_unreachable": {"files_unreadable"},
    "database_readonly": OF_THE_DATABASE,
    "database_full": OF_THE_DATABASE,
    "database_corrupt": OF_THE_DATABASE,
    "database_locked": OF_THE_DATABASE,
    "database_blocked": {*OF_THE_DATABASE, "database_locked"},
    "database_too_many_connections": OF_THE_DATABASE,
    "database_replaced": OF_THE_DATABASE,
    "job_hung": RUNS,
    "wrong_database": RUNS,
    "workers_suspended": RUNS,
}


def causes(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings without those that follow from another finding that is broken.

    A stalled run is a finding with the code of its cause. The two become one, which is broken and
    affects the run's students.
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
