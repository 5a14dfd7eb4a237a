"""The `flask` commands: they call the same domain functions as the pages."""

from flask import Flask

from myukm import terminal
from myukm.cli import (
    alert,
    backup,
    install,
    logs,
    queue,
    queue_failures,
    queue_pauses,
    siswa,
    sync,
    tunggakan,
    ukm,
    user,
)
from myukm.cli.i18n import translated

GROUPS = (alert, queue, queue_failures, queue_pauses, siswa, sync, ukm, user)
COMMANDS = (
    *(part.group for part in GROUPS),
    *(backup.backup, backup.restore, install.install, install.upgrade),
    *(logs.logs, tunggakan.tunggakan),
)


def init_app(app: Flask) -> None:
    """Register the commands, in the campus's language."""
    terminal.accept_any_text()
    with app.app_context():
        for command in map(translated, COMMANDS):
            command.language = app.config["MYUKM_LANG"]
            app.cli.add_command(command)
