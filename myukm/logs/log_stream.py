"""The last lines of all processes: a bounded stream in Valkey."""

import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypedDict, cast

import redis

from myukm.logs import lines

KEY, MAX_LINES, PORTION = "myukm:log", 10_000, 1000


def add(client: redis.Redis, batch: Sequence[Mapping[str, Any]]) -> None:
    """Append lines, and drop the oldest. Raises `RedisError`."""
    with client.pipeline(transaction=False) as pipe:
        for line in batch:
            text = json.dumps(line, ensure_ascii=False)
            pipe.xadd(KEY, {"line": text}, maxlen=MAX_LINES, approximate=True)
        pipe.execute()


@dataclass(frozen=True)
class Wanted:
    """Which lines to read: from `level` on; of a process, run or request; with `text` anywhere.
    Lines of the security log only with `security`."""

    level: str = ""
    process: str = ""
    run: int | None = None
    request_id: str = ""
    text: str = ""
    security: bool = False

    @cached_property
    def _text_in_json(self) -> str:
        return json.dumps(self.text, ensure_ascii=False)[1:-1].casefold()

    def is_in(self, raw: str) -> bool:
        """Return whether the text is in a line's JSON, which need not be parsed otherwise."""
        return not self.text or self._text_in_json in raw.casefold()

    def matches(self, line: Mapping[str, Any]) -> bool:
        """Return whether the line passes all filters but the text."""
        return (
            (not self.level or _number(line["level"]) >= _number(self.level))
            and self.process in ("", line["process"])
            and self.run in (None, line.get("run"))
            and self.request_id in ("", line.get("request_id"))
            and (self.security or line["logger"] != lines.SECURITY)
        )


def _number(level: str) -> int:
    return logging.getLevelNamesMapping().get(level, logging.INFO)


MAX_READ = 200
_ID = re.compile(r"\d{1,20}-\d{1,20}")


class Lines(TypedDict):
    """What was read, newest first, and the id from which a reader goes on; `skipped`: there were
    more than it got."""

    lines: list[dict[str, Any]]
    cursor: str
    skipped: bool


def is_id(text: str) -> bool:
    """Return whether `text` is the id of a line."""
    return bool(_ID.fullmatch(text))


def read(client: redis.Redis, wanted: Wanted, *, after: str = "", most: int = MAX_READ) -> Lines:
    """Return the newest lines that match, of those after an id. Raises `RedisError`."""
    found: list[dict[str, Any]] = []
    cursor, last, first = after or "0-0", "+", f"({after}" if after else "-"
    while len(found) <= most:
        portion = cast(list[Any], client.xrevrange(KEY, last, first, count=PORTION))
        if portion and last == "+":
            cursor = portion[0][0].decode()
        for key, entry in portion:
            raw = entry[b"line"].decode()
            if not wanted.is_in(raw):
                continue
            line = json.loads(raw)
            if wanted.matches(line):
                found.append({"id": key.decode(), **line})
        if len(portion) < PORTION:
            break
        last = f"({portion[-1][0].decode()}"
    return {"lines": found[:most], "cursor": cursor, "skipped": len(found) > most}
