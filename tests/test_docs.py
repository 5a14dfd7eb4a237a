"""The docs agree with the program: settings, commands, calls, findings, files, tables."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
import yaml
from flask import Flask
from werkzeug.exceptions import MethodNotAllowed, NotFound

from myukm.extensions import db
from myukm.web.http.body import NoFields

ROOT = Path(__file__).resolve().parents[1]
DOCS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "bench/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
# Commands of ./run itself, and of Flask.
OUTSIDE = {"demo", "test", "lint", "ci", "faults", "web", "worker", "rq", "run", "shell", "db"}
CHANGES = {"post", "patch", "put", "delete"}
METHODS = {"get", *CHANGES}


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_the_readme_lists_exactly_the_settings() -> None:
    sources = [ROOT / "config.py", *(ROOT / "myukm/settings").glob("*.py")]
    code = "".join(path.read_text() for path in sources)
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', code))
    read |= set(re.findall(r'environ\.get\("([A-Z_]+)"', text("gunicorn.conf.py")))
    table = text("README.md").split("## Settings")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`([A-Z_]+)`", " ".join(rows))) == read


def commands(markdown: str) -> Iterator[list[str]]:
    """Yield the words after `./run` or `flask`, options left out."""
    for line in re.findall(r"(?:\./run|flask) ([a-z][^\n`#|]*)", markdown):
        yield [word for word in line.split() if re.fullmatch(r"[a-z-]+", word)]


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_command_in_the_docs_exists(app: Flask, path: Path) -> None:
    for first, *rest in commands(path.read_text()):
        if first in OUTSIDE:
            continue
        command = app.cli.commands.get(first)
        assert command, f"{path.name}: {first}"
        known = command.commands if isinstance(command, click.Group) else rest
        assert not rest or rest[0] in known, f"{path.name}: {first} {rest[0]}"


def calls(name: str) -> Iterator[tuple[str, str]]:
    """Yield method and path of every call of an OpenAPI file, with its values filled in."""
    for path, item in yaml.load(text(name), yaml.CSafeLoader)["paths"].items():
        actions = ("pause", "cancel") if "{action}" in path else ("",)
        for method in METHODS & set(item):
            for action in actions:
                filled = path.replace("{action}", action).replace("{id}", "1")
                yield method.upper(), re.sub(r"\{\w+\}", "X", filled)


def test_every_call_in_the_openapi_file_is_served(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    for method, path in calls("docs/api.yaml"):
        try:
            adapter.match(path, method=method)
        except (NotFound, MethodNotAllowed):
            pytest.fail(f"{method} {path}")


def test_every_call_takes_the_fields_that_the_openapi_file_names(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    for path, item in yaml.load(text("docs/api.yaml"), yaml.CSafeLoader)["paths"].items():
        for method in CHANGES & set(item):
            filled = re.sub(r"\{\w+\}", "X", path.replace("{action}", "pause").replace("{id}", "1"))
            endpoint, _values = adapter.match(filled, method=method.upper())
            takes = getattr(app.view_functions[endpoint], "takes", NoFields)
            assert fields(takes) == documented(item[method]), (method, path)


def fields(takes: type[msgspec.Struct]) -> dict[str, bool]:
    """Return the names of a struct's fields, and whether each is needed."""
    return {field.encode_name: field.required for field in msgspec.structs.fields(takes)}


def documented(operation: dict[str, Any]) -> dict[str, bool]:
    """Return the same for the JSON body of a call in the OpenAPI file."""
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if "$ref" in schema:
        schemas = yaml.load(text("docs/api.yaml"), yaml.CSafeLoader)["components"]["schemas"]
        schema = schemas[schema["$ref"].removeprefix("#/components/schemas/")]
    return {name: name in schema.get("required", ()) for name in schema.get("properties", ())}


def named_tests() -> dict[str, list[str]]:
    """Return the tests that docs/findings.md names for each code."""
    parts = re.split(r"^### `([a-z_]+)`$", text("docs/findings.md"), flags=re.MULTILINE)[1:]
    tests = [re.findall(r"`(tests/[\w/]+\.py::\w+)`", part) for part in parts[1::2]]
    return dict(zip(parts[::2], tests, strict=True))


def test_every_finding_of_the_doctor_has_its_entry() -> None:
    """The codes of the checks, and of the reasons why a run may stall."""
    findings = [*(ROOT / "myukm/ops/findings").glob("*.py")]
    source = "".join(file.read_text() for file in findings)
    codes = set(re.findall(r'Finding\(\s*"([a-z_]+)"', source))
    reasons = text("myukm/domain/payment_api/shared_state.py")
    codes |= set(re.findall(r'Reason\("([a-z_]+)"', reasons))
    assert set(named_tests()) == codes


@pytest.mark.parametrize(("code", "tests"), named_tests().items())
def test_every_finding_is_tested_by_the_tests_that_its_entry_names(
    code: str, tests: list[str]
) -> None:
    assert tests
    for test in tests:
        path, _, name = test.partition("::")
        assert f"def {name}(" in text(path), test
        assert code in text(path), test


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_link_in_the_docs_leads_to_a_file_and_its_heading(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#([\w-]+))?\)", path.read_text())
    assert [
        f"{link}#{heading}"
        for link, heading in links
        if not (path.parent / link).exists()
        or (heading and heading not in headings(path.parent / link))
    ] == []
    own = re.findall(r"\]\(#([\w-]+)\)", path.read_text())
    assert set(own) <= headings(path)


def headings(path: Path) -> set[str]:
    """Return the anchors that a Markdown page has of its headings."""
    found = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text).strip().lower().replace(" ", "-") for text in found}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_every_file_that_the_docs_name_exists(path: Path) -> None:
    named = set(re.findall(r"`((?:\w+/)+\w+\.(?:py|js|css|yaml|po))`", path.read_text()))
    folders = (ROOT, ROOT / "myukm")
    assert [
        name for name in sorted(named) if not any((folder / name).exists() for folder in folders)
    ] == []


def test_the_recipes_of_contributing_name_existing_code() -> None:
    """Names that a recipe gives as "`name` of `file`" are in that file."""
    named = re.findall(r"`([\w.]+)(?:\([^`]*)?` (?:of|in) `([\w/]+\.py)`", text("CONTRIBUTING.md"))
    assert named
    missing = [(name, file) for name, file in named if name.rpartition(".")[2] not in text(file)]
    assert missing == []


def test_the_picture_of_the_tables_has_every_table_and_foreign_key(app: Flask) -> None:
    pictures = re.findall(
        r"```mermaid\nerDiagram\n(.*?)```", text("docs/architecture.md"), re.DOTALL
    )
    lines = re.findall(r"^  (\w+) [|}][|o]--[o|][|{] (\w+) :", "".join(pictures), re.MULTILINE)
    alone = re.findall(r"^  (\w+) \{", "".join(pictures), re.MULTILINE)
    tables = db.metadata.tables
    keys = {(key.column.table.name, name) for name in tables for key in tables[name].foreign_keys}
    assert set(lines) == keys
    assert {*alone, *(name for line in lines for name in line)} == set(tables)
