"""A process that makes many apps compiles the functions that build their URLs only once."""

from collections.abc import Callable

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


def compile_url_builders_once() -> None:
    """Compile the function that builds a rule's URL once in this process.

    Werkzeug compiles two for each of 130 rules whenever an app is made, and every test makes one.
    """
    compiled: dict[tuple[object, ...], Builder] = {}
    compile_builder = Rule._compile_builder

    def compile_once(self: Rule, append_unknown: bool = True) -> Builder:
        key = (append_unknown, *self._trace, *sorted((self.defaults or {}).items()))
        if key not in compiled:
            compiled[key] = compile_builder(self, append_unknown)
        return compiled[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]
