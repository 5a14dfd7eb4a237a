"""The `flask` commands: they call the same domain functions as the pages."""

from flask import Flask

from myukm.cli import queue, siswa, sync, ukm, user
from myukm.cli.i18n import translated

GROUPS = (queue, siswa, sync, ukm, user)


def init_app(app: Flask) -> None:
    """Register the command groups, in the campus's language."""
    with app.app_context():
        for part in GROUPS:
            group = translated(part.group)
            group.language = app.config["MYUKM_LANG"]
            app.cli.add_command(group)
