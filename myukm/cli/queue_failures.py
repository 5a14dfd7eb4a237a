"""`flask queue failed`, `retry` and `clear`: failed jobs one by one, or in groups by error."""

from collections.abc import Sequence

import click
from flask_babel import format_decimal
from flask_babel import gettext as _

from myukm.catalogue import N_
from myukm.cli import queue_tables as tables
from myukm.cli.options import as_json, at_most
from myukm.cli.queue_jobs import console, group, print_json, record, some_queue
from myukm.errors import NotFound
from myukm.queues import failed_jobs
from myukm.queues.failures import actions, groups, index
from myukm.queues.jobs import QUEUES

MAX_NAMED = 4  # ids in the activity log


@group.command("failed", help=N_("Daftar pekerjaan yang gagal, yang terbaru dulu."))
@at_most("-n", "count", default=50, limit=100_000)
@click.option("--groups", "groups_", is_flag=True, help=N_("Kelompokkan menurut kesalahannya."))
@as_json
def failed(count: int, groups_: bool, as_json: bool) -> None:
    """List failed jobs, newest first, or their groups, largest first."""
    if groups_:
        for name in QUEUES:
            index.refresh_all(name)
        largest = groups.all_groups()[:count]
        if as_json:
            print_json([each.as_json() for each in largest])
        else:
            console().print(tables.failure_groups(largest))
        return
    rows = failed_jobs.failed_rows(count)
    if as_json:
        print_json(rows)
    else:
        console().print(tables.failures(rows))


@group.command("retry", help=N_("Antrikan lagi pekerjaan yang gagal."))
@click.argument("job_ids", nargs=-1, metavar="[ID]...", help=N_("ID pekerjaan yang diulang."))
@click.option("--all", "all_", is_flag=True, help=N_("Ulangi semua yang gagal."))
@click.option(
    "--group", "group_", metavar="ID", help=N_("Ulangi satu kelompok dari failed --groups.")
)
def retry(job_ids: Sequence[str], all_: bool, group_: str | None) -> None:
    """Requeue failed jobs."""
    if sum(map(bool, (job_ids, all_, group_))) != 1:
        raise click.UsageError(_("Sebutkan ID pekerjaan, atau --all."))
    if job_ids:
        count = failed_jobs.retry(job_ids)
        more = " …" if len(job_ids) > MAX_NAMED else ""
        record("queue.retry", f"{count}: {' '.join(job_ids[:MAX_NAMED])}{more}")
    else:
        names = [_queue_of(group_)] if group_ else QUEUES
        count = sum(_apply_to_all(name, actions.RETRY, group_ or "") for name in names)
        record("queue.retry", f"{count}: {group_ or 'all'}")
    click.echo(_("%(count)s pekerjaan diantrikan lagi.", count=format_decimal(count)))


@group.command("clear", help=N_("Kosongkan antrian dari yang menunggu, atau dari yang gagal."))
@click.argument("queue", type=some_queue, help=N_("Antrian yang dikosongkan."))
@click.option("--waiting", is_flag=True, help=N_("Hapus pekerjaan yang menunggu."))
@click.option("--failed", "failed_", is_flag=True, help=N_("Hapus pekerjaan yang gagal."))
@click.option(
    "--group", "group_", metavar="ID", help=N_("Hanya satu kelompok dari failed --groups.")
)
@click.option("--yes", is_flag=True, help=N_("Jangan bertanya dulu."))
def clear(queue: str, waiting: bool, failed_: bool, group_: str | None, yes: bool) -> None:
    """Delete the waiting or the failed jobs of a queue."""
    if waiting == failed_ or (group_ and waiting):
        raise click.UsageError(_("Pilih --waiting atau --failed."))
    what = _("yang menunggu") if waiting else _("yang gagal")
    if not yes:
        question = _("Hapus semua pekerjaan %(what)s di antrian %(queue)s?", what=what, queue=queue)
        click.confirm(question, abort=True)
    if waiting:
        count = failed_jobs.clear_waiting(queue)
    else:
        count = _apply_to_all(queue, actions.DISCARD, group_ or "")
    record("queue.clear", f"{queue} {'waiting' if waiting else 'failed'}: {count}")
    click.echo(_("%(count)s pekerjaan dihapus.", count=format_decimal(count)))


def _apply_to_all(queue: str, action: str, group_: str) -> int:
    """Retry or delete the failed jobs of a queue, or of one group, and return how many there were.

    A progress bar is shown if there are many. Raises `NotFound` for an unknown group.
    """
    if group_:
        index.refresh_all(queue)
        groups.one(queue, group_)
    work = actions.begin(queue, action, group_)
    with click.progressbar(length=work.total, hidden=work.total <= actions.PORTION) as bar:
        while actions.go_on(queue, seconds=0.2):
            now = actions.of_queue(queue)
            bar.update((now.done if now else work.total) - bar.pos)
    return work.total


def _queue_of(group_: str) -> str:
    for name in QUEUES:
        index.refresh_all(name)
        if any(each.id == group_ for each in groups.of_queue(name)):
            return name
    raise NotFound(_("Tidak ada kelompok %(id)s.", id=group_))
