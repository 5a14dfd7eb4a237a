"""How a search finds its messages, newest first, without sorting all hits of a frequent word.

A frequent word fills a page from the newest messages, and the few hits of a rare one are sorted
quickly. So the newest messages are read first, and only if they do not fill the page, the full-text
index is queried for all hits. SQLite reads its index from the end, so there the first step is not
needed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, func, literal, select, union_all

from myukm.db.session import in_literals
from myukm.domain.chat import search_index
from myukm.domain.chat.search_query import Wanted
from myukm.extensions import db
from myukm.models import ChatMessage
from myukm.models.search_terms import files_term, joined, word_term

PER_PAGE = 20
# What is read first: the `NEWEST` messages of a single UKM; of several UKMs the messages among the
# newest `NEWEST_IDS` ids.
NEWEST, NEWEST_IDS = 3_000, 5_000
# The index knows neither word order nor times. So both are checked in the messages themselves, for
# at most this many hits per page.
CANDIDATES = 20_000
# Ids grow with time, but for up to an hour after a machine's clock was set.
CLOCK_SPREAD = timedelta(hours=1)
UKM_SLOT = "\0"  # in place of the UKM's number in a term

Page = tuple[list[int], int | None]


class SearchPlan:
    """One search in the UKMs with the ids `scope` (at least one), for messages of `authors`; no
    authors: for messages of everybody."""

    def __init__(self, wanted: Wanted, scope: Sequence[int], authors: Sequence[int]) -> None:
        self.wanted, self.scope, self.authors = wanted, scope, authors
        self.groups = [search_index.groups(wanted, authors, ukm_id) for ukm_id in scope]
        self.dialect = db.engine.dialect.name

    @cached_property
    def start(self) -> int:
        """The id below which all messages are older than `wanted.since`."""
        return 0 if self.wanted.since is None else _first_id(self.wanted.since)

    def page(self, before: int) -> Page:
        """Return the ids of the newest matching messages below `before`, and the next `before`."""
        if not self.groups[0]:
            return _page(self._walk(before))
        exact = self._is_exact()
        if not (exact and self.dialect == "sqlite"):
            ids = self._among_newest(before)
            if len(ids) > PER_PAGE:
                return _page(ids)
        if exact:
            return _page(_ids(self._hits(before, PER_PAGE + 1)))
        return self._checked_hits(before)

    def _walk(self, before: int) -> list[int]:
        """Return ids for a search without terms: the newest of each UKM, merged."""
        newest = [
            select(ChatMessage.id)
            .where(ChatMessage.ukm_id == ukm_id, ChatMessage.id < before)
            .where(ChatMessage.id >= self.start, *self._conditions())
            .order_by(ChatMessage.id.desc())
            .limit(PER_PAGE + 1)
            .subquery()
            for ukm_id in self.scope
        ]
        found = union_all(*(select(one.c.id) for one in newest)).subquery()
        return _ids(select(found.c.id).order_by(found.c.id.desc()))

    def _among_newest(self, before: int) -> list[int]:
        query = select(ChatMessage.id).where(ChatMessage.ukm_id.in_(self.scope))
        query = query.where(ChatMessage.id < before).order_by(ChatMessage.id.desc())
        if len(self.scope) > 1:
            return _ids(query.where(ChatMessage.id >= before - NEWEST_IDS, *self._conditions()))
        columns = (ChatMessage.search_text, ChatMessage.user_id, ChatMessage.created_at)
        newest = query.add_columns(ChatMessage.ukm_id, ChatMessage.deleted_at, *columns)
        rows = newest.limit(NEWEST).subquery()
        return _ids(select(rows.c.id).where(*self._conditions(rows.c)).order_by(rows.c.id.desc()))

    def _is_exact(self) -> bool:
        """Return whether a message that has the terms matches, without further conditions."""
        few = len(self.authors) <= search_index.MAX_AUTHORS
        single = all(len(phrase) == 1 for phrase in self.wanted.phrases)
        return few and single and self.wanted.since is None

    def _hits(self, before: int, limit: int) -> Select[Any]:
        return search_index.matching(self.dialect, self.groups, before, limit)

    def _checked_hits(self, before: int) -> Page:
        hits = self._hits(before, CANDIDATES).subquery()
        query = select(ChatMessage.id).join(hits, hits.c.id == ChatMessage.id)
        # `+ 0`, because otherwise the planner might scan all messages in the order of ids.
        ids = _ids(query.where(*self._conditions()).order_by((hits.c.id + 0).desc()))
        if len(ids) > PER_PAGE:
            return _page(ids)
        read, last = db.session.execute(select(func.count(), func.min(hits.c.id))).one()
        return ids, last if read == CANDIDATES and last > self.start else None

    def _conditions(self, row: Any = ChatMessage) -> list[ColumnElement[bool]]:
        """Return the SQL conditions of a matching message; `row` has its columns."""
        found = [row.deleted_at.is_(None)]
        found += [self._has(row, *(word_term(UKM_SLOT, w) for w in p)) for p in self.wanted.phrases]
        if self.wanted.with_files:
            found.append(self._has(row, files_term(UKM_SLOT)))
        if self.authors:
            found.append(in_literals(row.user_id, self.authors))
        if self.wanted.since is not None:
            found.append(row.created_at >= self.wanted.since)
        return found

    def _has(self, row: Any, *terms: str) -> ColumnElement[bool]:
        """Return the condition that these terms, which have `UKM_SLOT` in place of the UKM's
        number, follow each other in the row's `search_text`."""
        locate = func.strpos if self.dialect == "postgresql" else func.instr
        first, *others = joined(terms).split(UKM_SLOT)
        if len(self.scope) == 1:
            return locate(row.search_text, str(self.scope[0]).join((first, *others))) > 0
        pattern: ColumnElement[str] = literal(first)
        for part in others:
            pattern = pattern + cast(row.ukm_id, String) + literal(part)
        return locate(row.search_text, pattern) > 0


def _ids(query: Select[Any]) -> list[int]:
    return list(db.session.scalars(query.limit(PER_PAGE + 1)))


def _page(ids: list[int]) -> Page:
    """Return the first `PER_PAGE` of `ids`, and if there are more, the next `before`."""
    return ids[:PER_PAGE], ids[PER_PAGE - 1] if len(ids) > PER_PAGE else None


def _first_id(since: datetime) -> int:
    """Return an id below which all messages are older than `since`."""
    low, high = 0, db.session.scalar(select(func.max(ChatMessage.id))) or 0
    while low < high:
        middle = (low + high) // 2
        query = select(ChatMessage.id, ChatMessage.created_at).where(ChatMessage.id > middle)
        found = db.session.execute(query.order_by(ChatMessage.id).limit(1)).first()
        if found is None or found.created_at >= since - CLOCK_SPREAD:
            high = middle
        else:
            low = found.id
    return low
