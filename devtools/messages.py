"""Messages of the demo, in Indonesian or English."""

import contextlib
import os

from myukm.catalogue import translate


def echo(text: str, **values: object) -> None:
    """Print a message in the reader's language (`MYUKM_LANG`)."""
    # The terminal may be closed; the demo must still shut down its processes.
    with contextlib.suppress(OSError):
        print(localized(text, **values), flush=True)


def localized(text: str, **values: object) -> str:
    """Return the text in the reader's language."""
    return translate(text, os.environ.get("MYUKM_LANG", "id"), **values)
