"""Static files under URLs that contain a digest of all of them, so that browsers cache them.

Modules, styles and icons refer to each other by relative URLs, which therefore contain the digest
as well. So a new version of the program never loads an old module.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, abort, current_app
from markupsafe import Markup

from myukm.web.http import joined_modules

CACHE_SECONDS = 31_536_000
SHEETS = re.compile(r"css/(\w+(?:\+\w+)+)\.css")
MODULES = re.compile(r"joined/(\w+/\w+)\.js")


def init_app(app: Flask) -> None:
    """Register the versioned routes and `static_url` for templates."""
    app.add_url_rule("/static/v-<version>/<path:filename>", "static_kept", serve_versioned)
    app.add_url_rule("/favicon.ico", "favicon", favicon)
    app.jinja_env.globals.update(
        static_url=static_url,
        stylesheets=stylesheets,
        module_script=module_script,
        preload=preload,
        svg_icon=icon,
    )


def static_url(path: str) -> str:
    """Return the versioned URL of a static file, whose content never changes.

    Does not use `url_for`, because that fails on an invalid Host header, for which an error page
    must still be rendered.
    """
    return f"/static/v-{digest(str(current_app.static_folder))}/{path}"


@cache
def stylesheets(*names: str) -> Markup:
    """Return the link to several sheets of css/ joined into one, in this order.

    A browser renders nothing before it has all styles, and requests six files at a time. So on a
    slow phone sixteen small sheets take half a second longer than one.
    """
    link = Markup('<link rel="stylesheet" href="{}">')
    return link.format(static_url(f"css/{'+'.join(names)}.css"))


@cache
def icon(name: str) -> Markup:
    """Return a picture of icons.svg."""
    place = f"{static_url('icons.svg')}#{name}"
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}"></use></svg>').format(place)


@cache
def module_script(name: str) -> Markup:
    """Return the script that runs a module of js/ with all that it imports."""
    return Markup('<script type="module" src="{}"></script>').format(_joined_url(name))


@cache
def preload(module: str) -> Markup:
    """Return the link that loads a page's module early, with all its imports.

    core/mount.js imports `module` ("sync/page") only after the entry has run. Without this link the
    browser would request the file only then.
    """
    return Markup('<link rel="modulepreload" href="{}">').format(_joined_url(module))


def _joined_url(module: str) -> str:
    return static_url(f"joined/{module}.js")


def serve_versioned(version: str, filename: str) -> Response:
    """Return a static file: cacheable for ever under the current digest, else not at all."""
    if sheets := SHEETS.fullmatch(filename):
        response = _joined_sheets(sheets[1].split("+"))
    elif module := MODULES.fullmatch(filename):
        response = _joined_modules(module[1])
    else:
        response = current_app.send_static_file(filename)
    is_current = version == digest(str(current_app.static_folder)) and not current_app.debug
    caching = f"public, max-age={CACHE_SECONDS}, immutable" if is_current else "no-cache"
    response.headers["Cache-Control"] = caching
    return response


def _joined_sheets(names: list[str]) -> Response:
    files = [static_folder() / "css" / f"{name}.css" for name in names]
    if not all(file.is_file() for file in files):
        abort(404)
    return Response("\n".join(file.read_text() for file in files), mimetype="text/css")


def _joined_modules(name: str) -> Response:
    if current_app.debug:
        joined_modules.joined.cache_clear()
        joined_modules.imports.cache_clear()
    if not (static_folder() / "js" / f"{name}.js").is_file():
        abort(404)
    return Response(joined_modules.joined(str(static_folder()), name), mimetype="text/javascript")


def static_folder() -> Path:
    """Return the folder of the static files."""
    return Path(str(current_app.static_folder))


def favicon() -> Response:
    """Return the icon for pages without a link to it: rq-dashboard, and JSON in a browser."""
    return current_app.send_static_file("favicon.svg")


@cache
def digest(folder: str) -> str:
    """Return ten hexadecimal digits for the names and contents of all files in a folder."""
    whole = sha256()
    for file in sorted(Path(folder).rglob("*")):
        if file.is_file():
            whole.update(f"{file.relative_to(folder)}\0".encode())
            whole.update(sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:10]
