"""How names and words of other people's programs are compared: in one spelling."""

import re


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


def field_key(name: str) -> str:
    """Return a field's name without case and signs: `next_page_url`, `nextPageUrl` are one."""
    return re.sub(r"[^a-z]", "", name.casefold())
