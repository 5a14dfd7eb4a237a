"""Making an app costs a test half of what it costs without this."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


def compile_url_builders_once() -> None:
    """Compile the function that builds a rule's URL once in this process.

    Werkzeug compiles two for each of 130 rules whenever an app is made, and every test makes one.
    """
    compiled: dict[tuple[object, ...], Callable[..., Any]] = {}
    compile_builder = Rule._compile_builder

    def compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., Any]:
        key = (append_unknown, *rule._trace, *sorted((rule.defaults or {}).items()))
        if key not in compiled:
            compiled[key] = compile_builder(rule, append_unknown)
        return compiled[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]
