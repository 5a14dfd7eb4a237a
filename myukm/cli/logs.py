"""`flask logs`: the last log lines of all processes."""

import json
import time
from contextlib import suppress
from typing import Any

import click
import redis
from flask import current_app
from flask_babel import gettext as _
from redis.exceptions import RedisError

from myukm.catalogue import N_
from myukm.cli.errors import one_line, valkey_trouble
from myukm.cli.groups import command
from myukm.cli.options import as_json
from myukm.logs import log_stream
from myukm.logs.log_stream import Wanted
from myukm.valkey_clients import background_client

# Between two reads of `--follow`, and how many lines each read prints at most.
FOLLOW_SECONDS, FOLLOW_LINES = 1.0, 2000
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


@command("logs", help=N_("Tampilkan baris log terakhir dari semua proses di semua server."))
@click.option("--follow", is_flag=True, help=N_("Terus tampilkan baris baru, sampai Ctrl-C."))
@click.option(
    "--level",
    type=click.Choice(LEVELS, case_sensitive=False),
    default="DEBUG",
    help=N_("Mulai dari tingkat ini."),
)
@click.option("--process", default="", metavar=N_("NAMA"), help=N_("Hanya dari proses ini."))
@click.option("--run", type=int, metavar=N_("NOMOR"), help=N_("Hanya tentang sinkronisasi ini."))
@click.option("--request", default="", metavar=N_("ID"), help=N_("Hanya tentang permintaan ini."))
@click.option("--text", default="", metavar=N_("TEKS"), help=N_("Hanya yang memuat teks ini."))
@click.option(
    "-n",
    "most",
    type=click.IntRange(1, log_stream.MAX_LINES),
    default=100,
    show_default=True,
    metavar=N_("JUMLAH"),
    help=N_("Paling banyak sekian baris."),
)
@as_json
def logs(
    follow: bool,
    level: str,
    process: str,
    run: int | None,
    request: str,
    text: str,
    most: int,
    as_json: bool,
) -> None:
    """Print the newest lines that match, oldest first; `--json` prints one object per line."""
    wanted = Wanted(level.upper(), process, run, request, text, security=True)
    client = background_client(current_app.config["REDIS_URL"])
    found = log_stream.read(client, wanted, most=most)
    _print(found, as_json)
    if follow:
        with suppress(KeyboardInterrupt):
            _follow(client, wanted, found["cursor"], as_json)


def _follow(client: redis.Redis, wanted: Wanted, cursor: str, as_json: bool) -> None:
    """Print new lines for ever; standard error says when Valkey is away and when it is back."""
    is_away = False
    while True:
        time.sleep(FOLLOW_SECONDS)
        try:
            found = log_stream.read(client, wanted, after=cursor, most=FOLLOW_LINES)
        except RedisError as error:
            if not is_away:
                click.echo(one_line(valkey_trouble(error)), err=True)
            is_away = True
            continue
        if is_away:
            click.echo(_("Valkey menjawab lagi."), err=True)
        if found["skipped"]:
            click.echo(_("Baris yang lebih lama dilewati karena terlalu banyak."), err=True)
        is_away, cursor = False, found["cursor"]
        _print(found, as_json)


def _print(found: log_stream.Lines, as_json: bool) -> None:
    for line in reversed(found["lines"]):
        if as_json:
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            click.echo(_text(line))


def _text(line: dict[str, Any]) -> str:
    about = [
        f"{name}={line[name]}" for name in ("request_id", "account", "job", "run") if name in line
    ]
    where = f"{line['host']} {line['process']}[{line['pid']}]"
    text = f"{line['at']} {line['level']} {where} {line['message']}"
    text += f" [{' '.join(about)}]" if about else ""
    return f"{text}\n{line['trace']}" if "trace" in line else text
