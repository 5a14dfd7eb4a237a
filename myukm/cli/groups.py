"""Commands in the language of MYUKM_LANG, with one-line errors and no log lines on the terminal."""

import logging
from collections.abc import Callable
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext

from myukm.cli.errors import exit_on_error
from myukm.cli.i18n import set_click_language

NULL_HANDLER = logging.NullHandler()


class Command(click.Command):
    """A click command outside a group. `cli.init_app` registers a translated copy and sets its
    `language`."""

    language = "id"

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Set click's language and keep log lines off the terminal; return click's context."""
        prepare(self.language)
        return super().make_context(*args, **kwargs)


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
        """Set click's language and keep log lines off the terminal; return click's context."""
        prepare(self.language)
        return super().make_context(*args, **kwargs)


def command(name: str, **kwargs: Any) -> Callable[[Callable[..., Any]], click.Command]:
    """Return the decorator that makes a function a command of its own, in no group."""
    decorate = click.command(name, cls=Command, **kwargs)
    return lambda function: decorate(with_appcontext(exit_on_error(function)))


def prepare(language: str) -> None:
    """Set click's language, and keep log output off the terminal."""
    set_click_language(language)
    # Without a handler, logging prints warnings to stderr; the command prints its own errors.
    logging.getLogger().addHandler(NULL_HANDLER)
