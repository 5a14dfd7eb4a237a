"""Static files under URLs that contain a digest of all of them, so that browsers cache them.

Modules, styles and icons refer to each other by relative URLs. With the digest in the path, these
contain it as well, so a new version of the program never loads an old module.
"""

import re
from functools import cache
from hashlib import sha256
from pathlib import Path
from posixpath import normpath

from flask import Flask, Response, current_app
from markupsafe import Markup

CACHE_SECONDS = 31_536_000
ENTRY = "core/app"
IMPORT = re.compile(r'^(?:import|\}).* from "(\.[^"]+)\.js";$', re.MULTILINE)


def init_app(app: Flask) -> None:
    """Register the versioned routes and `static_url` for templates."""
    app.add_url_rule("/static/v-<version>/<path:filename>", "static_kept", serve_versioned)
    app.add_url_rule("/service-worker.js", "service_worker", service_worker)
    app.add_url_rule("/favicon.ico", "favicon", favicon)
    app.jinja_env.globals.update(static_url=static_url, preload=preload)


def static_url(path: str) -> str:
    """Return the versioned URL of a static file, whose content never changes.

    Does not use `url_for`, because that fails on an invalid Host header, for which an error page
    must still be rendered.
    """
    return f"/static/v-{digest(str(current_app.static_folder))}/{path}"


def preload(module: str) -> Markup:
    """Return the links that load a page's module early, with all its imports that ENTRY lacks.

    core/mount.js imports `module` ("sync/page") only after ENTRY has run. Without these links the
    browser would learn of the files so late, and one level of imports after the other.
    """
    folder = str(current_app.static_folder)
    names = sorted(imports(folder, module) - imports(folder, ENTRY))
    link = Markup('<link rel="modulepreload" href="{}">')
    return Markup("\n").join(link.format(static_url(f"js/{name}.js")) for name in names)


def serve_versioned(version: str, filename: str) -> Response:
    """Return a static file: cacheable for ever under the current digest, else not at all."""
    response = current_app.send_static_file(filename)
    if version == digest(str(current_app.static_folder)) and not current_app.debug:
        response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}, immutable"
    return response


def service_worker() -> Response:
    """Return the service worker (notifications); its scope is the path that serves it."""
    return current_app.send_static_file("js/chat/service_worker.js")


def favicon() -> Response:
    """Return the icon for pages that name none: rq-dashboard's, and JSON opened in a browser."""
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


@cache
def imports(folder: str, module: str) -> frozenset[str]:
    """Return the names of a module in js/ and of all that it imports, directly or not."""
    found, waiting = set[str](), [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            text = (Path(folder) / "js" / f"{name}.js").read_text()
            waiting += [normpath(f"{name}/../{path}") for path in IMPORT.findall(text)]
    return frozenset(found)
