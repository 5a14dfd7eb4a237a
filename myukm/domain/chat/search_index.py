"""Queries of each database's full-text index: the messages that have at least one
term of each group, newest first."""

from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, column, select, table, text

from myukm.domain.chat.search_query import Wanted
from myukm.models import ChatMessage
from myukm.models.search_terms import author_term, files_term, word_term

MAX_AUTHORS = 50
_FTS = table("chat_search", column("rowid"))
# A matching message has at least one term of each group.
Groups = list[list[str]]


def groups(wanted: Wanted, authors: Sequence[int], ukm_id: int) -> Groups:
    """Return the groups of terms for messages of that UKM. More than `MAX_AUTHORS` authors get no
    group: the caller checks authors itself."""
    needed = dict.fromkeys(word for phrase in wanted.phrases for word in phrase)
    found = [[word_term(ukm_id, word)] for word in needed]
    if wanted.with_files:
        found.append([files_term(ukm_id)])
    if 0 < len(authors) <= MAX_AUTHORS:
        found.append([author_term(ukm_id, user_id) for user_id in authors])
    return found


def matching(dialect: str, by_ukm: Sequence[Groups], before: int, limit: int) -> Select[Any]:
    """Return the query for the newest `limit` ids below `before` that match in one of the UKMs."""
    return _QUERIES[dialect](by_ukm, before).limit(limit)


def _sqlite(by_ukm: Sequence[Groups], before: int) -> Select[Any]:
    """SQLite reads the index from its end, and stops when the page is full."""
    wanted = _either(by_ukm, '"{}"', " AND ", " OR ")
    query = select(_FTS.c.rowid.label("id")).where(_matches("chat_search MATCH :terms", wanted))
    return query.where(_FTS.c.rowid < before).order_by(_FTS.c.rowid.desc())


def _postgresql(by_ukm: Sequence[Groups], before: int) -> Select[Any]:
    wanted = _either(by_ukm, "'{}'", " & ", " | ")
    terms = "array_to_tsvector(string_to_array(btrim(search_text), ' '))"
    return _sorted(_matches(f"{terms} @@ CAST(:terms AS tsquery)", wanted), before)


def _mariadb(by_ukm: Sequence[Groups], before: int) -> Select[Any]:
    wanted = _either(by_ukm, "{}", " ", " ", required="+")
    return _sorted(_matches("MATCH (search_text) AGAINST (:terms IN BOOLEAN MODE)", wanted), before)


_QUERIES: dict[str, Callable[[Sequence[Groups], int], Select[Any]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mariadb,
}


def _matches(condition: str, terms: str) -> ColumnElement[bool]:
    return cast(ColumnElement[bool], text(condition).bindparams(terms=terms))


def _sorted(condition: ColumnElement[bool], before: int) -> Select[Any]:
    """Sort by `id + 0`. With `id` alone the planner would scan all messages in the order of ids."""
    query = select(ChatMessage.id).where(condition, ChatMessage.id < before)
    return query.order_by((ChatMessage.id + 0).desc())


def _either(by_ukm: Sequence[Groups], form: str, and_: str, or_: str, required: str = "") -> str:
    """Return the groups as an expression of a database's query language: `form` formats a term,
    `and_` and `or_` are operators, `required` is the prefix of a group. Terms need no escaping,
    because they consist of `a-z0-9_`."""

    def group(terms: list[str]) -> str:
        found = or_.join(form.format(term) for term in terms)
        return f"{required}{found}" if len(terms) == 1 else f"{required}({found})"

    return or_.join(f"({and_.join(map(group, groups))})" for groups in by_ukm)
