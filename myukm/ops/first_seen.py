"""Records when each finding was first seen, for findings whose check does not know when the problem
began."""

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from flask import current_app
from redis.exceptions import RedisError

from myukm.db.types import utcnow
from myukm.extensions import valkey
from myukm.ops.findings import Finding

KEY, TTL_SECONDS = "myukm:doctor:since", 60


def with_since(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings with the time at which a doctor of any process saw them first."""
    findings = list(findings)
    first = _first_seen({finding.key for finding in findings})
    return [
        finding if finding.since else replace(finding, since=first[finding.key])
        for finding in findings
    ]


def _first_seen(keys: set[str]) -> dict[str, datetime]:
    seen: dict[str, float] = current_app.extensions.setdefault("first_seen", {})
    stored: dict[bytes, bytes] = {}
    with contextlib.suppress(RedisError):
        stored = cast(dict[bytes, bytes], valkey().hgetall(KEY))
        seen |= {key.decode(): float(moment) for key, moment in stored.items()}
    now = utcnow().timestamp()
    kept = {key: seen.get(key, now) for key in keys}
    is_stored = stored.keys() == {key.encode() for key in kept}
    seen.clear()
    seen.update(kept)
    with contextlib.suppress(RedisError), valkey().pipeline(transaction=not is_stored) as pipe:
        if not is_stored:
            pipe.delete(KEY)
        if kept and is_stored:
            pipe.expire(KEY, TTL_SECONDS)
        elif kept:
            pipe.hset(KEY, mapping=kept)  # type: ignore[arg-type]
            pipe.expire(KEY, TTL_SECONDS)
        pipe.execute()
    return {key: datetime.fromtimestamp(moment, UTC) for key, moment in kept.items()}
