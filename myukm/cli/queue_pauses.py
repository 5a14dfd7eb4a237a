"""`flask queue pause` and `flask queue resume`."""

import click
from flask_babel import gettext as _

from myukm.catalogue import N_
from myukm.cli.actor import actor
from myukm.cli.queue_jobs import group, some_queue
from myukm.domain import queue_pauses


@group.command("pause", help=N_("Jeda antrian: tidak ada pekerjaannya yang dimulai lagi."))
@click.argument("queue", type=some_queue, help=N_("Antrian yang dijeda."))
def pause(queue: str) -> None:
    """Pause a queue: no job of it begins until `resume`. Exits 0 even if it was paused before."""
    if queue_pauses.pause(actor(), queue):
        click.echo(_("Antrian %(queue)s dijeda. Yang sudah berjalan diselesaikan.", queue=queue))
    else:
        click.echo(_("Antrian %(queue)s sudah dijeda.", queue=queue))
    click.echo(_("Lanjutkan dengan: %(command)s", command=f"./run queue resume {queue}"))


@group.command("resume", help=N_("Lanjutkan antrian yang dijeda."))
@click.argument("queue", type=some_queue, help=N_("Antrian yang dilanjutkan."))
def resume(queue: str) -> None:
    """Let the jobs of a queue begin again. Exits 0 even if it was not paused."""
    if queue_pauses.resume(actor(), queue):
        click.echo(_("Antrian %(queue)s dilanjutkan.", queue=queue))
    else:
        click.echo(_("Antrian %(queue)s tidak dijeda.", queue=queue))
