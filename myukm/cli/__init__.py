"""The `flask` commands: they call the same domain functions as the pages."""

from flask import Flask

from myukm.cli import queue, siswa, sync, ukm, user

PARTS = (queue, siswa, sync, ukm, user)


def init_app(app: Flask) -> None:
    """Register the command groups."""
    for part in PARTS:
        app.cli.add_command(part.group)
