"""Files that a browser may keep for good: another content has another address, modules included."""

import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import NamedTuple
from urllib.parse import urljoin

import pytest
from flask import Flask

from myukm.web.http import static_files

FOREVER = "public, max-age=31536000, immutable"
Get = Callable[[str], "Got"]


class Got(NamedTuple):
    status: int
    caching: str | None
    text: str


@pytest.fixture
def get(app: Flask) -> Callable[[str], Got]:
    client = app.test_client()

    def fetch(address: str) -> Got:
        with client.get(address) as answer:
            return Got(
                answer.status_code,
                answer.headers.get("Cache-Control"),
                answer.data.decode(errors="replace"),
            )

    return fetch


def linked(get: Get) -> list[str]:
    """Return the addresses of the log-in page's styles, scripts and icons."""
    return re.findall(r'(?:href|src)="(/static/[^"#]+)', get("/login").text)


def test_what_pages_name_is_kept_for_good(get: Get) -> None:
    addresses = linked(get)
    assert len(addresses) > 5
    for address in addresses:
        assert get(address)[:2] == (200, FOREVER)


def test_modules_import_each_other_under_the_same_digest(get: Get) -> None:
    script = next(address for address in linked(get) if address.endswith("/auth.js"))
    imported = re.findall(r'import (?:.+ from )?"(\.[^"]+)"', get(script).text)
    assert imported
    for name in imported:
        assert get(urljoin(script, name))[:2] == (200, FOREVER)


def test_a_page_preloads_all_that_its_module_needs_and_its_entry_lacks(app: Flask) -> None:
    folder = str(app.static_folder)
    names = static_files.imports(folder, "chat/room")
    assert {"chat/room", "chat/timeline", "chat/chunked_list", "core/api"} <= names
    with app.test_request_context():
        links = static_files.preload("chat/room")
    assert re.findall(r'href="/static/v-[0-9a-f]{10}/js/(.+)\.js"', links) == sorted(
        names - static_files.imports(folder, static_files.ENTRY)
    )
    assert "core/api" not in links


def test_every_mounted_module_is_preloaded(app: Flask) -> None:
    templates = [file.read_text() for file in Path(app.root_path, "templates").rglob("*.html")]
    mounted = {name for text in templates for name in re.findall(r'data-module="(.+?)"', text)}
    preloaded = {name for text in templates for name in re.findall(r'preload\("(.+?)"\)', text)}
    assert mounted == preloaded != set()


def test_another_programs_pages_get_the_file_but_must_not_keep_it(get: Get) -> None:
    for address in ("/static/v-0123456789/css/tokens.css", "/static/css/tokens.css"):
        assert get(address)[:2] == (200, "no-cache")
    assert get("/static/v-0123456789/no-such-file").status == 404
    assert get("/static/v-0123456789/../../../config.py").status == 404


def test_the_digest_is_that_of_every_file(app: Flask, tmp_path: Path) -> None:
    assert app.static_folder
    copy = str(copytree(app.static_folder, tmp_path / "static"))
    before = static_files.digest(copy)
    assert before == static_files.digest(app.static_folder)
    static_files.digest.cache_clear()
    (tmp_path / "static" / "js" / "core" / "api.js").write_text("export const changed = true;")
    assert static_files.digest(copy) != before


def test_a_page_that_names_no_icon_gets_ours(app: Flask) -> None:
    with app.test_client().get("/favicon.ico") as answer:
        assert answer.mimetype == "image/svg+xml"
        assert b"<svg" in answer.data
