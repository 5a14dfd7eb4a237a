"""The groups of our commands: the campus's language, and no words but the command's own."""

import logging
from collections.abc import Callable
from typing import Any

import click
from flask.cli import AppGroup

from myukm.cli.errors import exit_on_error
from myukm.cli.i18n import set_click_language

NULL_HANDLER = logging.NullHandler()


class CommandGroup(AppGroup):
    """A group of commands whose errors are a line for a person and a code for a script.

    Its texts are msgids; what an app registers is a `language.translated()` copy.
    """

    language = "id"

    def command(  # type: ignore[override]  # always called with a name
        self, *args: Any, **kwargs: Any
    ) -> Callable[..., click.Command]:
        """Return the decorator that makes a function a command of this group."""
        decorate = super().command(*args, **kwargs)
        return lambda function: decorate(exit_on_error(function))

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Return click's context, in a process that speaks as our commands do."""
        set_click_language(self.language)
        # Without a handler Python prints warnings; the command itself says what matters.
        logging.getLogger().addHandler(NULL_HANDLER)
        return super().make_context(*args, **kwargs)
