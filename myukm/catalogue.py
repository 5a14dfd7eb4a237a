"""Translation without an app, for the settings and the demo, because no app exists there."""

import gettext
from pathlib import Path

TRANSLATIONS = Path(__file__).with_name("translations")


def N_(text: str) -> str:  # noqa: N802 (gettext's own name for it)
    """Mark `text` for the catalogue; it is translated where it is shown."""
    return text


def translate(text: str, language: str, **values: object) -> str:
    """Return `text` (Indonesian, as in the source) in `language`, with `values` in place of its
    placeholders."""
    found = gettext.translation("messages", TRANSLATIONS, [language], fallback=True).gettext(text)
    return found % values if values else found
