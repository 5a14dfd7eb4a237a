"""Messages of the demo, in Indonesian or English."""

import contextlib
import os


def echo(indonesian: str, english: str) -> None:
    """Print a message in the reader's language (`MYUKM_LANG`)."""
    # The terminal may be closed; the demo must still shut down its processes.
    with contextlib.suppress(OSError):
        print(localized(indonesian, english), flush=True)


def localized(indonesian: str, english: str) -> str:
    """Return the text in the reader's language."""
    return english if os.environ.get("MYUKM_LANG") == "en" else indonesian
