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
    affected; an alert is sent again when it grows. `host` and `pid` are where the problem is, if it
    is in one place. `people` is how many people notice it now, None if unknown; `heals`: it ends by
    itself. `server` and `check`, set by the doctor, are the server that the check queries, and the
    check's name.
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
    check: str = ""

    @property
    def key(self) -> str:
        """What identifies the finding over time: its code and subject."""
        return f"{self.code}:{self.subject}" if self.subject else self.code

    def as_json(self) -> dict[str, Any]:
        """Return the finding as `flask queue doctor --json` prints it.

        Secrets are redacted in the texts, but not in the code and the subject: a password such as
        "secret" would otherwise change the code `weak_secret`.
        """
        texts = {"message": self.message, "cure": self.cure, "effect": self._effect()}
        redacted = in_each_language(**{name: _redacted(text) for name, text in texts.items()})
        what = {"code": self.code, "subject": self.subject or None, "level": self.level}
        place = {"host": self.host or None, "pid": self.pid, "since": to_iso8601(self.since)}
        effect = {"people": self.people, "heals": self.heals}
        return {**what, **redacted, **place, **effect}

    def _effect(self) -> LazyString:
        """Return in few words how many people are affected and whether somebody has to act."""
        end = _("pulih sendiri") if self.heals else _("perlu tindakan")
        if self.people is None:
            return end
        affected = _("belum mengenai siapa pun")
        if self.people:
            affected = _("mengenai %(count)s orang", count=lazy_decimal(self.people))
        return joined(affected, end, by=", ")


def _redacted(sentence: Any) -> LazyString:
    return LazyString(lambda: hide(str(sentence)))
