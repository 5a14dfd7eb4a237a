"""The `flask` commands: they call the same domain functions as the pages."""

from flask import Flask

from myukm import terminal
from myukm.cli import alert, backup, queue, siswa, sync, tunggakan, ukm, user
from myukm.cli.i18n import translated

GROUPS = (alert, queue, siswa, sync, ukm, user)
COMMANDS = (
    *(part.group for part in GROUPS),
    *(backup.backup, backup.restore, tunggakan.tunggakan),
)


def init_app(app: Flask) -> None:
    """Register the commands, in the campus's language."""
    terminal.accept_any_text()
    with app.app_context():
        for command in map(translated, COMMANDS):
            command.language = app.config["MYUKM_LANG"]
            app.cli.add_command(command)
