"""The actor that the activity log records for a command."""

import os
import pwd

from myukm.domain.actor import Actor

MAX_NAME = 100  # characters; the columns `actor_name` have some more for " (CLI)"


def actor() -> Actor:
    """Return the account of the operating system as the actor, because a command has no log-in.

    Its name is that of the process's user id, because the variables LOGNAME and USER may contain
    any name.
    """
    user_id = os.getuid()
    try:
        name = pwd.getpwuid(user_id).pw_name
    except KeyError:  # the user id has no entry in the password database
        name = str(user_id)
    return Actor(f"{name[:MAX_NAME]} (CLI)")
