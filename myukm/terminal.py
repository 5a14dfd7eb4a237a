"""Makes standard output accept every name."""

import io
import sys


def accept_any_text() -> None:
    """Write characters that a terminal's encoding lacks as `?`; write UTF-8 to files and pipes.

    Otherwise a name such as Zoë ends a command with a traceback where the locale is not UTF-8.
    """
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper) or out.encoding.lower() in ("utf-8", "utf8"):
        return
    if out.isatty():
        out.reconfigure(errors="replace")
    else:
        out.reconfigure(encoding="utf-8")
