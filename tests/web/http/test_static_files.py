"""Static files that browsers cache for ever, because other contents have other URLs."""

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
Get = Callable[[str], "Response"]


class Response(NamedTuple):
    status: int
    caching: str | None
    text: str


@pytest.fixture
def get(app: Flask) -> Callable[[str], Response]:
    client = app.test_client()

    def fetch(address: str) -> Response:
        with client.get(address) as answer:
            return Response(
                answer.status_code,
                answer.headers.get("Cache-Control"),
                answer.data.decode(errors="replace"),
            )

    return fetch


def linked(get: Get) -> list[str]:
    """Return the addresses of the log-in page's styles, scripts and icons."""
    return re.findall(r'(?:href|src)="(/static/[^"#]+)', get("/login").text)


def test_files_that_pages_link_are_cached_for_ever(get: Get) -> None:
    addresses = linked(get)
    assert len(addresses) > 5
    for address in addresses:
        assert get(address)[:2] == (200, FOREVER)


def test_a_page_loads_four_style_sheets(get: Get, app: Flask) -> None:
    sheets = [each for each in linked(get) if each.endswith(".css")]
    assert len(sheets) == 4  # for all pages, for print, for forced colors, and for this page
    folder = Path(str(app.static_folder)) / "css"
    names = sheets[0].rpartition("/")[2].removesuffix(".css").split("+")
    assert len(names) > 10
    assert get(sheets[0])[:2] == (200, FOREVER)
    assert get(sheets[0]).text == "\n".join((folder / f"{n}.css").read_text() for n in names)


def test_style_sheets_write_no_glyphs_because_screen_readers_read_them_aloud(app: Flask) -> None:
    sheets = (Path(str(app.static_folder)) / "css").glob("*.css")
    written = {
        text for sheet in sheets for text in re.findall(r"[\s{;]content: (.+);", sheet.read_text())
    }
    assert written == {'""', "none", "attr(data-label)", 'counter(page) " / " counter(pages)'}


@pytest.mark.parametrize("names", ["tokens+none", "+tokens", "..+tokens", "tokens+../base"])
def test_only_existing_style_sheets_are_joined(get: Get, names: str) -> None:
    version = re.search(r"/static/v-[0-9a-f]+", get("/login").text)[0]  # type: ignore[index]
    assert get(f"{version}/css/{names}.css").status == 404


def test_the_log_in_page_has_its_modules_in_one_file(get: Get) -> None:
    script = next(address for address in linked(get) if address.endswith("/joined/pages/auth.js"))
    assert 'define("core/theme"' in get(script).text


def test_other_pages_have_their_modules_in_two_files(get: Get, app: Flask) -> None:
    """The entry (core/app), which all load, and the page's own module without what is in the
    entry."""
    with app.test_request_context():
        (address,) = re.findall(r'href="(/static/.+?)"', static_files.preload("chat/room"))
    text = get(address).text
    assert 'define("chat/timeline"' in text
    assert 'define("core/api"' not in text
    (imported,) = re.findall(r'^import .+ from "(.+?)";$', text, re.MULTILINE)
    entry = urljoin(address, imported)
    assert get(entry)[:2] == (200, FOREVER)
    assert 'define("core/api"' in get(entry).text


def test_every_mounted_module_is_preloaded(app: Flask) -> None:
    templates = [file.read_text() for file in Path(app.root_path, "templates").rglob("*.html")]
    mounted = {name for text in templates for name in re.findall(r'data-module="(.+?)"', text)}
    preloaded = {name for text in templates for name in re.findall(r'preload\("(.+?)"\)', text)}
    assert mounted == preloaded != set()


def test_files_of_another_version_are_served_but_not_cached(get: Get) -> None:
    old = "/static/v-0123456789"
    joined = (f"{old}/joined/core/app.js", f"{old}/css/tokens+base.css")
    for address in (f"{old}/css/tokens.css", "/static/css/tokens.css", *joined):
        assert get(address)[:2] == (200, "no-cache")
    assert get("/static/v-0123456789/no-such-file").status == 404
    assert get("/static/v-0123456789/../../../config.py").status == 404


def test_the_digest_covers_every_file(app: Flask, tmp_path: Path) -> None:
    assert app.static_folder
    copy = str(copytree(app.static_folder, tmp_path / "static"))
    before = static_files.digest(copy)
    assert before == static_files.digest(app.static_folder)
    static_files.digest.cache_clear()
    (tmp_path / "static" / "js" / "core" / "api.js").write_text("export const changed = true;")
    assert static_files.digest(copy) != before


def test_the_favicon_is_ours(app: Flask) -> None:
    with app.test_client().get("/favicon.ico") as answer:
        assert answer.mimetype == "image/svg+xml"
        assert b"<svg" in answer.data
