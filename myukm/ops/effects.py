"""Adds to each finding how many people it affects now, and whether it ends by itself.

Only Valkey is queried, because it answers or refuses at once, while the database may hang. Numbers
that need the database, such as those of students, are set by the checks themselves.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from flask import current_app
from redis.exceptions import RedisError

from myukm.ops import causes, process_registry
from myukm.ops.findings import Finding
from myukm.queues.jobs import QUEUES
from myukm.queues.workers import snapshot

# Codes of findings that end by themselves.
HEALS = {"api_down", "api_wait", "api_slow", "api_unreachable", "login_attack"}


def with_effects(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with `people` and `heals`."""
    return [_with_effect(finding) for finding in findings]


def _with_effect(finding: Finding) -> Finding:
    people = finding.people
    if people is None:
        try:
            people = PEOPLE.get(finding.code, _nobody)(finding)
        except RedisError:
            people = _open_pages_here()
    return replace(finding, people=people, heals=finding.heals or finding.code in HEALS)


def _nobody(_finding: Finding) -> int:
    return 0


def _unknown(_finding: Finding) -> None:
    """Return None, because nobody can know whose jobs a worker lost, whose passwords an address
    guesses, or what a check would have found."""


def _open_pages(_finding: Finding) -> int:
    """Return how many people have a page open, by their streams: all pages of a browser share one
    stream."""
    return process_registry.open_streams()


def _open_pages_here() -> int | None:
    """Return how many people have a stream of this process open; None if nobody has, because other
    processes may have streams."""
    hub = current_app.extensions.get("live_hub")
    return (len(hub.streams.audience) or None) if hub else None


def _waiting_jobs(finding: Finding) -> int:
    """Return how many jobs wait in the finding's queue or, for a finding without queue, in all
    queues without a worker. Each job counts as one person."""
    state = snapshot()
    unserved = [name for name in QUEUES if state.suspended or not state.workers_for(name)]
    names = [finding.subject] if finding.subject in QUEUES else unserved
    return sum(state.backlogs[name].count for name in names)


PEOPLE: Mapping[str, Callable[[Finding], int | None]] = {
    **dict.fromkeys(("wrong_database", "check_crashes"), _unknown),
    "database_pool_exhausted": lambda _finding: _open_pages_here(),
    "login_attack": _unknown,  # for attacks from an address; the check counts attacked accounts
    **dict.fromkeys((*causes.QUEUE_FINDINGS, "workers_suspended", "queue_paused"), _waiting_jobs),
    **dict.fromkeys(
        (
            *("valkey_unreachable", "valkey_memory", "valkey_replica", "valkey_cannot_save"),
            *("database_unreachable", "database_locked", "database_readonly", "database_full"),
            *("database_corrupt", "database_replaced", "database_too_many_connections"),
            *("database_blocked", "database_slow", "valkey_slow", "migrations", "no_web"),
            *("secret_key_differs", "files_unreadable"),
        ),
        _open_pages,
    ),
}
