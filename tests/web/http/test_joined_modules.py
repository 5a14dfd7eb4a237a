"""Modules joined into one file behave as they do in single files."""

import re
import shutil
import subprocess
from pathlib import Path
from posixpath import normpath

import pytest
from flask import Flask

from myukm.web.http.joined_modules import ENTRY, imported, imports, joined
from tests.support.servers import need

SOURCES = {
    "core/app": """\
import { count, up as increase } from "./count.js";
import * as words from "./words.js";

/** Runs by itself. */
increase();
console.log(count(), words.hello("app"), Object.keys(words).sort().join());
import("../pages/one.js").then((module) => module.default());
""",
    "core/count.js": """\
// The one counter of the page.
let value = 0;
export const count = () => value;
export function up() {
  value += 1;
}
""",
    "core/words.js": """\
export async function later() {}
export function* each() {}
export class Word {}
export function hello(name) {
  return `hello ${name}`; // said
}
""",
    "pages/one.js": """\
import {
  count,
  up,
} from "../core/count.js";
import "./effect.js";
export default function startOne() {
  up();
  console.log("one", count());
}
""",
    "pages/effect.js": """\
import { count } from "../core/count.js";
console.log("effect", count());
""",
}


def run(script: Path) -> str:
    """Return what Node prints."""
    node = need(shutil.which("node"), "nodejs")
    return subprocess.run([node, script], capture_output=True, text=True, check=True).stdout


def test_joined_modules_print_what_single_modules_print(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    for name, text in SOURCES.items():
        path = tmp_path / "js" / f"{name.removesuffix('.js')}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in (ENTRY, "pages/one"):
        path = tmp_path / "joined" / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(joined(str(tmp_path), name))
    expected = run(tmp_path / "js/core/app.js")
    assert expected.splitlines()[-2:] == ["effect 1", "one 2"]
    assert run(tmp_path / "joined/core/app.js") == expected


def test_every_module_can_be_joined(app: Flask, tmp_path: Path) -> None:
    folder = str(app.static_folder)
    sources = Path(folder, "js")
    blocks = []
    for file in sources.rglob("*.js"):
        name = str(file.relative_to(sources)).removesuffix(".js")
        text = joined(folder, name)
        lines = re.findall(r"^(?:import|export) .+$", text, re.MULTILINE)
        assert len(lines) == 2, (name, lines)  # its imports and its exports
        if lines[0].startswith("import"):
            path = re.findall(r' from "(\./.+)";$', lines[0])[0]
            assert normpath(f"{name}/../{path}") == f"{ENTRY}.js"
        blocks.append(re.sub(r"^import .+$|^export (?:default )?", "", text, flags=re.MULTILINE))
    whole = tmp_path / "whole.mjs"
    whole.write_text("\n".join(f"{{{block}}}" for block in blocks))
    node = need(shutil.which("node"), "nodejs")
    subprocess.run([node, "--check", whole], check=True)


def test_there_are_no_circular_imports(app: Flask) -> None:
    folder = str(app.static_folder)
    names = imports(folder, ENTRY) | imports(folder, "chat/room") | imports(folder, "sync/page")
    for name in names:
        assert not any(name in imports(folder, each) for each in imported(folder, name)), name


@pytest.mark.parametrize("path", ["none/none", "core/none", "core"])
def test_an_unknown_module_is_not_found(app: Flask, path: str) -> None:
    answer = app.test_client().get(f"/static/v-0123456789/joined/{path}.js")
    assert answer.status_code == 404
