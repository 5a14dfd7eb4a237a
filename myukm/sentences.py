"""Sentences that are stored or published once and read by many people, each in their own language.

They are lazy translations. When a sentence is stored or published, it is written in the campus's
language, and under `translations` in the other languages. Pages choose the reader's by `localized`,
the browser does the same with events (`static/js/core/localized.js`).
"""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from flask import current_app
from flask_babel import force_locale, format_datetime, format_decimal, format_time, get_locale
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString

from myukm.i18n import LANGUAGES

# A number inside a sentence, with the separators of the sentence's language.
lazy_decimal = partial(LazyString, format_decimal)


def in_each_language(**texts: Any) -> dict[str, Any]:
    """Return the texts (lazy, plain, or None) in the campus's language, and under `translations` by
    language code in the languages in which they differ."""
    campus = current_app.config["MYUKM_LANG"]
    own = _in(campus, texts)
    others = {lang: _in(lang, texts) for lang in LANGUAGES if lang != campus}
    return {**own, "translations": {lang: each for lang, each in others.items() if each != own}}


def _in(lang: str, texts: Mapping[str, Any]) -> dict[str, Any]:
    with force_locale(lang):
        return {name: None if text is None else str(text) for name, text in texts.items()}


def localized(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry made by `in_each_language` in the reader's language."""
    return {**entry, **(entry.get("translations") or {}).get(str(get_locale()), {})}


def stored_sentence(row: Any, name: str) -> Any:
    """Return the stored sentence `name` of a row as a lazy translation, None if it is NULL."""
    text = getattr(row, name)
    return None if text is None else LazyString(_stored, text, row.translations, name)


def _stored(text: str, translations: Mapping[str, Any] | None, name: str) -> str:
    texts = (translations or {}).get(str(get_locale()), {})
    return str(texts.get(name, text))


def joined(*sentences: Any, by: str = " ") -> LazyString:
    """Return several lazy sentences as one lazy text, joined by `by`."""
    return LazyString(lambda: by.join(map(str, sentences)))


def lazy_moment(moment: datetime) -> LazyString:
    """Return a date and time inside a sentence, in the campus's time zone."""
    return LazyString(lambda: format_datetime(moment, _("d MMM y HH.mm")))


def lazy_clock(moment: datetime) -> LazyString:
    """Return a time of day inside a sentence, in the campus's time zone."""
    return LazyString(lambda: format_time(moment, _("HH.mm.ss")))
