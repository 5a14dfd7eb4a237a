"""Joins a page's modules into one file, because eighty single files took fourteen round trips.

Over HTTP/1.1 a browser requests six files at a time, so every six files cost a round trip. A joined
file has a module and all that it imports, each as a function that runs at its first use, in the
order in which a browser runs modules. Linters, tests and Node read the single files in js/.

Supported are `import … from "./NAME.js";`, and `export` before a function, a class, a const, or
`default function NAME`. Not supported are circular imports, an exported `let`, and a multi-line
string with a line that looks like a comment.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath, relpath

# Every page that extends base.html loads this module, so the file of a page's own module leaves out
# the modules that ENTRY imports.
ENTRY = "core/app"
IMPORT = re.compile(r'^import (?:([^";]+) from )?"(\.[^"]+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (default )?((?:async )?function\*?|class|const) (\w+)", re.MULTILINE)
# Comments that fill whole lines are a quarter of the transferred bytes.
COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n", re.MULTILINE)
RUNTIME = """\
const factories = new Map();
const made = new Map();
export function define(name, factory) {
  if (!factories.has(name)) factories.set(name, factory);
}
export function use(name) {
  if (!made.has(name)) made.set(name, factories.get(name)());
  return made.get(name);
}
"""


@cache
def joined(folder: str, name: str) -> str:
    """Return a module of `folder`/js ("chat/room") with all its imports, as one module.

    A module with a default export, which core/mount.js calls, leaves out the modules of ENTRY and
    imports them from ENTRY's file. Any other module is complete and runs when it is loaded.
    """
    names, head, end = imports(folder, name), RUNTIME, f'use("{name}");\n'
    if "export default " in _text(folder, name):
        names -= imports(folder, ENTRY)
        head = f'import {{ define, use }} from "./{relpath(ENTRY, dirname(name))}.js";\n'
        end = f'export default use("{name}").default;\n'
    return "".join([head, *(_as_function(folder, each) for each in sorted(names)), end])


@cache
def imports(folder: str, module: str) -> frozenset[str]:
    """Return the names of a module in js/ and of all that it imports, directly or not."""
    found, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += imported(folder, name)
    return frozenset(found)


def imported(folder: str, name: str) -> Iterator[str]:
    """Yield the names of the modules that a module imports directly."""
    for found in IMPORT.finditer(_text(folder, name)):
        yield normpath(f"{name}/../{found[2]}")


def _as_function(folder: str, name: str) -> str:
    """Return the module as a `define(…)` call, whose function returns the module's exports."""
    exported = []

    def use(found: re.Match[str]) -> str:
        used = f'use("{normpath(f"{name}/../{found[2]}")}");'
        what = (found[1] or "").removeprefix("* as ").replace(" as ", ": ")
        return f"const {what} = {used}" if what else used

    def keep(found: re.Match[str]) -> str:
        exported.append(f"default: {found[3]}" if found[1] else found[3])
        return f"{found[2]} {found[3]}"

    body = EXPORT.sub(keep, IMPORT.sub(use, COMMENT.sub("", _text(folder, name))))
    return f'define("{name}", () => {{\n{body}return {{ {", ".join(exported)} }};\n}});\n'


def _text(folder: str, name: str) -> str:
    return (Path(folder) / "js" / f"{name}.js").read_text()
