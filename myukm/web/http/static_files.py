"""Static files under addresses that carry one digest of them all, so that browsers keep them.

Modules, styles and icons name each other by relative addresses; with the digest in the path these
carry it, too, and a new version of the program never meets an old module.
"""

from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, current_app

CACHE_SECONDS = 31_536_000


def init_app(app: Flask) -> None:
    """Serve the static folder under its digest, too, and give templates `static_url`."""
    app.add_url_rule("/static/v-<version>/<path:filename>", "static_kept", serve_versioned)
    app.add_url_rule("/service-worker.js", "service_worker", service_worker)
    app.add_url_rule("/favicon.ico", "favicon", favicon)
    app.jinja_env.globals.update(static_url=static_url)


def static_url(path: str) -> str:
    """Return the address of a static file, under which its content never changes.

    Not by `url_for`: an error page is also for who sent a host name that no address can have.
    """
    return f"/static/v-{digest(str(current_app.static_folder))}/{path}"


def serve_versioned(version: str, filename: str) -> Response:
    """Answer a static file, for good unless another version of the program asks for it."""
    response = current_app.send_static_file(filename)
    if version == digest(str(current_app.static_folder)) and not current_app.debug:
        response.headers["Cache-Control"] = f"public, max-age={CACHE_SECONDS}, immutable"
    return response


def service_worker() -> Response:
    """Answer the script that shows notifications; it has power over the paths below its own."""
    return current_app.send_static_file("js/chat/service_worker.js")


def favicon() -> Response:
    """Answer our icon where a page names none: rq-dashboard's, and JSON in a browser's window."""
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
