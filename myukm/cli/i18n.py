"""Translates `--help` and usage errors into the campus's language."""

import gettext
import os
from collections.abc import Callable
from copy import copy
from typing import TypeVar

import click
from flask_babel import get_translations

from myukm.catalogue import TRANSLATIONS

AnyCommand = TypeVar("AnyCommand", bound=click.Command)


def translated(command: AnyCommand) -> AnyCommand:
    """Return a copy of `command`, its msgids replaced by texts in the current language."""
    return _translated(command, get_translations().gettext)


def _translated(command: AnyCommand, _: Callable[[str], str]) -> AnyCommand:
    own = copy(command)
    own.help = command.help and _(command.help)
    own.options_metavar = _("[OPSI]")
    own.params = [_translated_parameter(param, _) for param in command.params]
    if isinstance(own, click.Group) and isinstance(command, click.Group):
        own.subcommand_metavar = _("PERINTAH [ARGUMEN]...")
        own.commands = {name: _translated(part, _) for name, part in command.commands.items()}
    return own


def _translated_parameter(param: click.Parameter, _: Callable[[str], str]) -> click.Parameter:
    own = copy(param)
    own.help = param.help and _(param.help)
    own.metavar = param.metavar and _(param.metavar)
    return own


def set_click_language(language: str) -> None:
    """Set the language of click's own texts ("Usage:", "No such option …").

    click uses Python's gettext, which reads the environment variable at every call.
    """
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain("click", str(TRANSLATIONS))
    gettext.textdomain("click")
