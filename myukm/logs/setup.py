"""Logging of our processes: each line goes to standard error and to the stream in Valkey."""

import logging
from collections.abc import Mapping
from typing import Any

from flask.logging import default_handler

from myukm.logs import records, shipper
from myukm.logs.lines import SECURITY, JsonFormatter, TextFormatter

OWN, GUNICORN = "myukm", "gunicorn.error"
_ours: list[logging.Handler] = []


def start(
    settings: Mapping[str, Any],
    kind: str,
    *,
    forks: bool = False,
    waits: bool = False,
    printed: bool = True,
    collected: int = logging.INFO,
) -> None:
    """Set up logging in the form of LOG_FORMAT for this process and its forks.

    `kind` is the program: web, worker, rq or flask; `printed`: also to standard error; `collected`:
    the lowest level that goes to Valkey; `forks` and `waits`: see `LogShipper`. Our handlers
    replace Python's handler of last resort, which prints neither time nor level, and Flask's
    default handler.
    """
    records.init_app()
    is_json = settings["LOG_FORMAT"] == "json"
    printer = logging.StreamHandler()
    printer.setFormatter(JsonFormatter(kind) if is_json else TextFormatter(kind))
    collector = shipper.LogShipper(settings["REDIS_URL"], kind, forks=forks, waits=waits)
    collector.setLevel(collected)
    shipper.install(collector)
    root, gunicorn = logging.getLogger(), logging.getLogger(GUNICORN)
    for handler in _ours:  # of an earlier call, because gunicorn calls this again at SIGHUP
        root.removeHandler(handler)
        gunicorn.removeHandler(handler)
    _ours[:] = [printer, collector] if printed else [collector]
    for handler in _ours:
        root.addHandler(handler)
    logging.getLogger(OWN).removeHandler(default_handler)
    logging.getLogger(SECURITY).setLevel(logging.INFO)
    _take_over(gunicorn, collector, printer.formatter if is_json else None)


def _take_over(
    logger: logging.Logger, collector: logging.Handler, formatter: logging.Formatter | None
) -> None:
    """Collect the lines of a logger that has handlers of its own; these handlers get `formatter`,
    if there is one."""
    if not logger.handlers:
        return
    for handler in logger.handlers:
        if formatter:
            handler.setFormatter(formatter)
    logger.addHandler(collector)
