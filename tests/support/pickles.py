"""A pickle as an attacker who can write to Valkey would store it."""

from typing import Any


class Evil:
    """Ends the process when it is unpickled."""

    def __reduce__(self) -> Any:
        return exec, ("raise SystemExit('code from Valkey was run')",)
