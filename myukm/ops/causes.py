"""Leaves of the doctor's findings the causes: what merely follows from another one is left out."""

from collections.abc import Sequence
from dataclasses import replace

from myukm.ops.findings import BROKEN, Finding

OF_QUEUES = {"no_worker", "worker_died", "worker_stuck", "queue_slow", "jobs_failed", "job_hung"}
OF_RUNS = {"sync_still", "chat_unpublished"}
OF_A_DEAD_DATABASE = OF_RUNS | {"nobody_leads", "database_slow", "jobs_failed", "files_unreadable"}
# What follows from each cause.
FOLLOW = {
    "valkey_unreachable": {*OF_QUEUES, "nobody_leads"},
    "valkey_memory": OF_QUEUES,
    "valkey_replica": OF_QUEUES,
    "valkey_cannot_save": {*OF_QUEUES, "valkey_unreachable"},
    "database_unreachable": {"files_unreadable"},
    "database_readonly": OF_A_DEAD_DATABASE,
    "database_full": OF_A_DEAD_DATABASE,
    "database_corrupt": OF_A_DEAD_DATABASE,
    "database_locked": OF_A_DEAD_DATABASE,
    "database_blocked": {*OF_A_DEAD_DATABASE, "database_locked"},
    "database_too_many_connections": OF_A_DEAD_DATABASE,
    "database_replaced": OF_A_DEAD_DATABASE,
    "job_hung": OF_RUNS,
    "wrong_database": OF_RUNS,
    "workers_suspended": OF_RUNS,
}


def causes(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings without those that follow from a broken one beside them.

    A stalled run has the code of what it waits for: that one is then broken, too, and its students
    are who is hit.
    """
    broken = {finding.code for finding in findings if finding.level == BROKEN}
    follow = {code for cause in broken for code in FOLLOW.get(cause, ())}
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
