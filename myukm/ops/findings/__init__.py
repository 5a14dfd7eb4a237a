"""Findings of the doctor. Each check is a generator function that yields what it found."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _
from flask_babel.speaklater import LazyString

from myukm.db.types import to_iso8601
from myukm.logs.redaction import hide
from myukm.sentences import in_each_language, joined, lazy_decimal

WARNING, BROKEN = "warning", "broken"


@dataclass(frozen=True)
class Finding:
    """One problem: code for scripts, level, description, what to do about it (lazy sentences), and
    since when.

    `subject` tells findings of one code apart (a queue, a folder). `extent` is how much is
    affected, so that an alert notices when it grows. `host` and `pid` are where it is, if in one
    place. `people` is how many notice it now, None while unknown; `heals`: it ends by itself.
    `server`, set by the doctor, is the server that its check asks.
    """

    code: str
    level: str
    message: Any
    cure: Any
    since: datetime | None = None
    subject: str = ""
    extent: int = 1
    host: str = ""
    pid: int | None = None
    people: int | None = None
    heals: bool = False
    server: str = ""

    @property
    def key(self) -> str:
        """What identifies it over time: its code and what it is about."""
        return f"{self.code}:{self.subject}" if self.subject else self.code

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `flask queue doctor --json` prints it.

        Secrets are redacted in the texts, not in the code, which is ours: a password may happen to
        be part of it, as "secret" would be.
        """
        texts = {"message": self.message, "cure": self.cure, "effect": self._effect()}
        words = in_each_language(**{name: _hidden(text) for name, text in texts.items()})
        place = {"host": self.host or None, "pid": self.pid, "since": to_iso8601(self.since)}
        effect = {"people": self.people, "heals": self.heals}
        return {"code": self.code, "level": self.level, **words, **place, **effect}

    def _effect(self) -> LazyString:
        """Return in few words how many are hit and whether somebody has to do something."""
        end = _("pulih sendiri") if self.heals else _("perlu tindakan")
        if self.people is None:
            return end
        hit = _("belum mengenai siapa pun")
        if self.people:
            hit = _("mengenai %(count)s orang", count=lazy_decimal(self.people))
        return joined(hit, end, by=", ")


def _hidden(sentence: Any) -> LazyString:
    return LazyString(lambda: hide(str(sentence)))
