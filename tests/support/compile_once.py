"""Lets a process with many apps compile each route and each SQL statement only once.

Every test creates an app and its engine, which would compile the same routes and the same SQL
again: that took a large part of the tests' CPU time.
"""

from types import MethodType
from typing import Any

from sqlalchemy.engine import Engine
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

# More than all tests execute.
MAX_STATEMENTS = 10_000


def compile_once() -> None:
    """Share what Werkzeug and SQLAlchemy compile between all apps of this process."""
    _compile_routes_once()
    _compile_statements_once()


def _compile_routes_once() -> None:
    """Let a rule reuse what an equal one has compiled: its parts, the functions that build URLs."""
    compiled: dict[tuple[object, ...], Rule] = {}
    compile_rule = Rule.compile

    def compile_route(self: Rule) -> None:
        assert self.map is not None
        options = (self.subdomain, self.host, self.merge_slashes, self.map.host_matching)
        defaults = sorted((self.defaults or {}).items())
        key = (self.rule, *options, *defaults, *self.map.converters.values())
        if key not in compiled:
            compile_rule(self)
            compiled[key] = self
            return
        equal = compiled[key]
        self._parts, self._trace, self._converters = equal._parts, equal._trace, equal._converters
        self.arguments = set(equal.arguments)
        self._build = MethodType(equal._build.__func__, self)  # type: ignore[attr-defined]
        unknown = equal._build_unknown.__func__  # type: ignore[attr-defined]
        self._build_unknown = MethodType(unknown, self)

    Rule.compile = compile_route  # type: ignore[method-assign]


def _compile_statements_once() -> None:
    """Give all engines one cache; as its keys contain the dialect, those of one kind are equal."""

    def kind(dialect: DefaultDialect) -> tuple[object, ...]:
        return type(dialect), getattr(dialect, "_json_serializer", None)

    def equal(self: DefaultDialect, other: object) -> bool:
        return isinstance(other, DefaultDialect) and kind(self) == kind(other)

    shared: LRUCache[Any, Any] = LRUCache(MAX_STATEMENTS)
    DefaultDialect.__eq__ = equal  # type: ignore[method-assign,assignment]
    DefaultDialect.__hash__ = lambda self: hash(kind(self))  # type: ignore[method-assign,assignment]
    Engine._compiled_cache = property(  # type: ignore[assignment]
        lambda _: shared, lambda _self, _own: None
    )
