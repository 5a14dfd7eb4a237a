"""The actor that the activity log records for a command."""

import getpass

from myukm.domain.actor import Actor


def actor() -> Actor:
    """Return the operating system's user name as the actor, because a command has no account."""
    try:
        return Actor(f"{getpass.getuser()} (CLI)")
    except (KeyError, OSError):  # the user id has no entry in the password database
        return Actor("CLI")
