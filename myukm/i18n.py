"""Languages: the source is in Indonesian, English is a catalogue.

Pages use the reader's language. Texts read by many people (events, reasons, alerts) and the CLI use
the campus's language, `MYUKM_LANG`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, current_app, has_request_context, session
from flask_babel import force_locale, format_decimal, get_domain, get_locale
from markupsafe import Markup

from myukm.extensions import babel

LANGUAGES = ("id", "en")


def init_app(app: Flask) -> None:
    """Configure the languages and the time zone of the app."""
    app.config["BABEL_DEFAULT_LOCALE"] = app.config["MYUKM_LANG"]
    app.config["BABEL_DEFAULT_TIMEZONE"] = app.config["MYUKM_TIMEZONE"]
    babel.init_app(app, locale_selector=language)


def language() -> str:
    """Return the reader's language: their choice in this session, else the campus's."""
    chosen = session.get("lang") if has_request_context() else None
    return chosen if chosen in LANGUAGES else str(current_app.config["MYUKM_LANG"])


def campus_timezone() -> ZoneInfo:
    """Return the campus's time zone."""
    return ZoneInfo(current_app.config["MYUKM_TIMEZONE"])


def campus_language() -> AbstractContextManager[None]:
    """Return a context in which texts are in the campus's language, not in the reader's.

    Needed only in code that runs in requests, because elsewhere `language()` is the campus's.
    """
    context: AbstractContextManager[None] = force_locale(current_app.config["MYUKM_LANG"])
    return context


def template_gettext() -> Callable[..., Markup]:
    """Return the function `_` of the templates for the reader's language.

    It looks up the language once per page; Flask-Babel's own does so for each text, of which a page
    has a hundred.
    """
    texts, catalogue = _translated(str(get_locale())), get_domain().get_translations()

    def translate(text: str, /, **values: Any) -> Markup:
        found = texts.get(text)
        if found is None:
            found = texts[text] = Markup(catalogue.ugettext(text))  # noqa: S704 (our own text)
        return found % values if values else found

    return translate


@cache
def _translated(_language: str) -> dict[str, Markup]:
    """Return the cache of translated texts of that language."""
    return {}


def preload(app: Flask) -> None:
    """Load the catalogue and number formats of the campus's language before the process forks, so
    that the forks share them."""
    with app.app_context(), campus_language():
        get_domain().get_translations()
        format_decimal(0)
