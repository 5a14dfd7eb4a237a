"""The last log lines of all processes, in a bounded stream in Valkey."""

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


def encoded(line: Mapping[str, Any]) -> bytes:
    """Return the form in which a line is stored."""
    return json.dumps(line, ensure_ascii=False).encode()


def add(client: redis.Redis, batch: Sequence[bytes]) -> None:
    """Append encoded lines; the oldest beyond `MAX_LINES` are deleted. Raises `RedisError`."""
    with client.pipeline(transaction=False) as pipe:
        for line in batch:
            pipe.xadd(KEY, {"line": line}, maxlen=MAX_LINES, approximate=True)
        pipe.execute()


@dataclass(frozen=True)
class Wanted:
    """A filter of lines: of `level` or above; of a process, run or request; with `text` in any
    field. Empty fields match all lines; `security`: also lines of the security log."""

    level: str = ""
    process: str = ""
    run: int | None = None
    request_id: str = ""
    text: str = ""
    security: bool = False

    @cached_property
    def _text_in_json(self) -> str:
        return json.dumps(self.text, ensure_ascii=False)[1:-1].casefold()

    def may_match(self, raw: str) -> bool:
        """Return whether a line's JSON contains the text, in a value or in a field's name. It is
        called first, so that the other lines need not be parsed."""
        return self._text_in_json in raw.casefold()

    def matches(self, line: Mapping[str, Any]) -> bool:
        """Return whether a line matches all fields of the filter."""
        return (
            (not self.level or _number(line["level"]) >= _number(self.level))
            and self.process in ("", line["process"])
            and self.run in (None, line.get("run"))
            and self.request_id in ("", line.get("request_id"))
            and (self.security or line["logger"] != lines.SECURITY)
            and any(self.text.casefold() in str(value).casefold() for value in line.values())
        )


def _number(level: str) -> int:
    return logging.getLevelNamesMapping().get(level, logging.INFO)


MAX_READ = 200
# Valkey's ids are two 64-bit numbers, so every number of 19 digits is one.
_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")


class Lines(TypedDict):
    """The lines that were read, newest first, and the id after which the next read continues;
    `skipped`: more lines matched than were returned."""

    lines: list[dict[str, Any]]
    cursor: str
    skipped: bool


def is_id(text: str) -> bool:
    """Return whether `text` is the id of a line."""
    return bool(_ID.fullmatch(text))


def read(client: redis.Redis, wanted: Wanted, *, after: str = "", most: int = MAX_READ) -> Lines:
    """Return the newest matching lines, at most `most`, of the lines after the id `after`. Raises
    `RedisError`."""
    found: list[dict[str, Any]] = []
    cursor, last, first = after or "0-0", "+", f"({after}" if after else "-"
    while len(found) <= most:
        portion = cast(list[Any], client.xrevrange(KEY, last, first, count=PORTION))
        if portion and last == "+":
            cursor = portion[0][0].decode()
        for key, entry in portion:
            raw = entry[b"line"].decode()
            if not wanted.may_match(raw):
                continue
            line = json.loads(raw)
            if wanted.matches(line):
                found.append({"id": key.decode(), **line})
        if len(portion) < PORTION:
            break
        last = f"({portion[-1][0].decode()}"
    return {"lines": found[:most], "cursor": cursor, "skipped": len(found) > most}
