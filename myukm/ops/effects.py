"""Says of each finding how many people notice it now, and whether it ends by itself.

It asks Valkey alone, which answers or refuses at once: the database may be what hangs. What is
known of students and messages the checks have said.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from flask import current_app
from redis.exceptions import RedisError

from myukm.ops import process_registry
from myukm.ops.causes import OF_QUEUES
from myukm.ops.findings import Finding
from myukm.queues.jobs import QUEUES
from myukm.queues.workers import snapshot

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
            people = _open_here()
    return replace(finding, people=people, heals=finding.heals or finding.code in HEALS)


def _nobody(_finding: Finding) -> int:
    return 0


def _unknown(_finding: Finding) -> None:
    """Nobody can know whose jobs a worker lost."""


def _with_open_page(_finding: Finding) -> int:
    """Return how many have a page open: each page has a stream, all of a browser one."""
    return process_registry.open_streams()


def _open_here() -> int | None:
    """Return how many have a page open that this process serves; None in a command."""
    hub = current_app.extensions.get("live_hub")
    return (len(hub.streams.audience) or None) if hub else None


def _who_waits(finding: Finding) -> int:
    """Return how many jobs wait in the queue, or in those that nobody serves: each is for somebody,
    or for a UKM."""
    state = snapshot()
    unserved = [name for name in QUEUES if state.suspended or not state.workers_for(name)]
    names = [finding.subject] if finding.subject in QUEUES else unserved
    return sum(state.backlogs[name].count for name in names)


PEOPLE: Mapping[str, Callable[[Finding], int | None]] = {
    "wrong_database": _unknown,
    **dict.fromkeys((*OF_QUEUES, "workers_suspended", "queue_paused"), _who_waits),
    **dict.fromkeys(
        (
            *("valkey_unreachable", "valkey_memory", "valkey_replica", "valkey_cannot_save"),
            *("database_unreachable", "database_locked", "database_readonly", "database_full"),
            *("database_corrupt", "database_replaced", "database_too_many_connections"),
            *("database_blocked", "database_slow", "valkey_slow", "migrations", "no_web"),
            *("secret_key_differs", "files_unreadable"),
        ),
        _with_open_page,
    ),
}
