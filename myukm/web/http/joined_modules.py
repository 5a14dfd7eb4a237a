"""A page's modules as one file: one by one, eighty took a phone fourteen round trips.

Over HTTP/1.1 a browser asks for six files at once, so each further six cost one more round trip. A
joined file has a module and all that it imports, each as a function that runs when it is first
used, in the order in which the browser runs modules. Linters, tests and Node read js/.

Modules say `import … from "./NAME.js";`, and `export` before a function, a class, a const, or
`default function NAME`. Not possible are a circle of imports, an exported `let`, and a text of
several lines of which one looks like a comment.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from posixpath import dirname, normpath, relpath

# What every page that extends base.html loads; a page's own file lacks it.
ENTRY = "core/app"
IMPORT = re.compile(r'^import (?:([^";]+) from )?"(\.[^"]+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (default )?((?:async )?function\*?|class|const) (\w+)", re.MULTILINE)
# Whole lines, which are a quarter of what the network carries.
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

    One with a default export, which core/mount.js calls, lacks what ENTRY has and takes that from
    ENTRY's file. Any other runs by itself.
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
    """Yield the names of the modules that one imports itself."""
    for found in IMPORT.finditer(_text(folder, name)):
        yield normpath(f"{name}/../{found[2]}")


def _as_function(folder: str, name: str) -> str:
    """Return the definition of a module whose exports are what its function returns."""
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
