"""Normal forms in which field names and words of an API's answers are compared."""

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


def field_key(name: str) -> str:
    """Return a field name's letters in lower case: `next_page_url` equals `nextPageUrl`."""
    return re.sub(r"[^a-z]", "", name.casefold())
