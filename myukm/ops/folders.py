"""The folders of this machine into which the program writes."""

from collections.abc import Iterator
from pathlib import Path

from flask import current_app
from sqlalchemy import make_url


def written_folders() -> Iterator[Path]:
    """Yield the instance folder, that of an SQLite database and that of the chat's files."""
    yield Path(current_app.instance_path)
    url = make_url(current_app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite" and url.database:
        yield Path(url.database).absolute().parent
    files = str(current_app.config["FILES_URL"])
    if files.startswith("file://"):
        yield Path(files.removeprefix("file://"))
