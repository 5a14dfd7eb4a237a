"""Command groups: the campus's language, one-line errors, and no log output on the terminal."""

import logging
from collections.abc import Callable
from typing import Any

import click
from flask.cli import AppGroup

from myukm.cli.errors import exit_on_error
from myukm.cli.i18n import set_click_language

NULL_HANDLER = logging.NullHandler()


class CommandGroup(AppGroup):
    """A click group whose commands end errors with one line and an exit code.

    Its texts are msgids; the app registers a copy made by `cli.i18n.translated()`.
    """

    language = "id"

    def command(  # type: ignore[override]  # always called with a name
        self, *args: Any, **kwargs: Any
    ) -> Callable[..., click.Command]:
        """Return the decorator that makes a function a command of this group."""
        decorate = super().command(*args, **kwargs)
        return lambda function: decorate(exit_on_error(function))

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Return click's context, after silencing log output that the command does not print."""
        set_click_language(self.language)
        # Without a handler Python prints warnings; the command prints its own errors.
        logging.getLogger().addHandler(NULL_HANDLER)
        return super().make_context(*args, **kwargs)
