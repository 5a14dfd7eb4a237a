"""`flask logs`: the last log lines of all processes."""

import json
import time
from contextlib import suppress
from typing import Any

import click
from flask import current_app
from redis.exceptions import RedisError

from myukm.catalogue import N_
from myukm.cli.groups import command
from myukm.cli.options import as_json
from myukm.logs import log_stream
from myukm.logs.log_stream import Wanted
from myukm.valkey_clients import background_client

FOLLOW_SECONDS = 1.0
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
    with suppress(KeyboardInterrupt):
        while follow:
            time.sleep(FOLLOW_SECONDS)
            with suppress(RedisError):  # Valkey may be restarting
                found = log_stream.read(client, wanted, after=found["cursor"], most=2000)
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
