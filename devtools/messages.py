"""The demo's own messages, in the language of the terminal."""

import contextlib
import os


def echo(indonesian: str, english: str) -> None:
    """Print a message in the reader's language (`MYUKM_LANG`)."""
    # The terminal may be gone: the demo must still come to its end.
    with contextlib.suppress(OSError):
        print(localized(indonesian, english), flush=True)


def localized(indonesian: str, english: str) -> str:
    """Return the text in the reader's language."""
    return english if os.environ.get("MYUKM_LANG") == "en" else indonesian
