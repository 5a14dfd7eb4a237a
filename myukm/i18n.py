"""Languages: Indonesian is written in the source, English is one catalogue.

A page speaks the reader's choice. What many people read (events, reasons, alerts) and the CLI
speak the campus's language, `MYUKM_LANG`.
"""

from contextlib import AbstractContextManager

from flask import Flask, current_app, has_request_context, session
from flask_babel import force_locale, format_decimal, get_domain

from myukm.extensions import babel

LANGUAGES = ("id", "en")


def init_app(app: Flask) -> None:
    """Teach the app its languages and its time zone."""
    app.config["BABEL_DEFAULT_LOCALE"] = app.config["MYUKM_LANG"]
    app.config["BABEL_DEFAULT_TIMEZONE"] = app.config["MYUKM_TIMEZONE"]
    babel.init_app(app, locale_selector=language)


def language() -> str:
    """Return the reader's language: their choice in this session, else the campus's."""
    chosen = session.get("lang") if has_request_context() else None
    return chosen if chosen in LANGUAGES else str(current_app.config["MYUKM_LANG"])


def campus_language() -> AbstractContextManager[None]:
    """Return a context in which texts are made in the campus's language, whoever asks.

    Needed only where a request can get to: `language()` is the campus's where there is none.
    """
    context: AbstractContextManager[None] = force_locale(current_app.config["MYUKM_LANG"])
    return context


def preload(app: Flask) -> None:
    """Read the campus language's words and number formats now, so that no fork has to."""
    with app.app_context(), campus_language():
        get_domain().get_translations()
        format_decimal(0)
