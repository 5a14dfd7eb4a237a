"""Makes standard output accept every name."""

import io
import sys


def accept_any_text() -> None:
    """Print `?` for characters that the terminal's encoding lacks; write UTF-8 to files and pipes.

    Otherwise a name such as Zoë would end a command with a traceback if the locale is not UTF-8.
    """
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper) or out.encoding.lower() in ("utf-8", "utf8"):
        return
    if out.isatty():
        out.reconfigure(errors="replace")
    else:
        out.reconfigure(encoding="utf-8")
