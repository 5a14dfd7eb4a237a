"""Options shared by several commands."""

from collections.abc import Callable
from typing import Any

import click

from myukm.catalogue import N_

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

as_json = click.option("--json", "as_json", is_flag=True, help=N_("Cetak sebagai JSON."))


def at_most(*names: str, default: int, limit: int) -> Decorator:
    """Return an option for the number of rows to list, between 1 and `limit`."""
    return click.option(
        *names,
        type=click.IntRange(1, limit),
        default=default,
        show_default=True,
        metavar=N_("JUMLAH"),
        help=N_("Paling banyak sekian baris."),
    )
