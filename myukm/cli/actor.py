"""Who types a command, as the trail names them."""

import getpass

from myukm.domain.actor import Actor


def actor() -> Actor:
    """Return the machine's user; a command has no account."""
    try:
        return Actor(f"{getpass.getuser()} (CLI)")
    except (KeyError, OSError):  # an account without a name
        return Actor("CLI")
