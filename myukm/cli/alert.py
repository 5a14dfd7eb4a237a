"""`flask alert`: alerts, and a test of the channels."""

import sys

import click
from flask import current_app
from flask_babel import gettext as _

from myukm.catalogue import N_
from myukm.cli.groups import CommandGroup
from myukm.db.types import to_iso8601, utcnow
from myukm.ops.alerts import channels, monitor, records
from myukm.ops.findings import WARNING, Finding
from myukm.sentences import stored_sentence

SHOWN = 50

group = CommandGroup("alert", help=N_("Peringatan: lihat, dan coba salurannya."))


@group.command("list", help=N_("Tampilkan peringatan terakhir, yang berlangsung lebih dulu."))
def list_alerts() -> None:
    """Print a line per alert: since, until, level, code, message."""
    for alert in records.recent(SHOWN):
        until = to_iso8601(alert.resolved_at) or _("berlangsung")
        since = to_iso8601(alert.since)
        message = stored_sentence(alert, "message")
        click.echo(f"{since}  {until}  {alert.level}  {alert.code}  {message}")


@group.command("test", help=N_("Kirim percobaan lewat semua saluran; keluar dengan 1 bila gagal."))
def test() -> None:
    """Send a test by every channel and print which channels took it. Exit 1 if one failed, or if
    there is none."""
    finding = Finding("test", WARNING, _("Percobaan peringatan MyUKM."), "", utcnow())
    message = monitor.message_of(monitor.record_of("test", finding), "test")
    configured = channels.configured()
    failed = 0 if configured else 1
    if current_app.config["ALERT_EMAIL_TO"] and not current_app.config["SMTP_URL"]:
        failed += 1
        click.echo(_("%(channel)s: gagal, %(why)s", channel="email", why=_("atur juga SMTP_URL")))
    elif not configured:
        click.echo(_("Belum ada saluran: atur ALERT_WEBHOOK_URL, ALERT_EMAIL_TO atau ALERT_URLS."))
    for name, send in configured.items():
        try:
            send(message)
        except channels.NotDelivered as error:
            failed += 1
            click.echo(_("%(channel)s: gagal, %(why)s", channel=name, why=error))
        else:
            click.echo(_("%(channel)s: terkirim", channel=name))
    sys.exit(1 if failed else 0)
