"""Who acts: an account, an admin of the campus, or the command line."""

from typing import NamedTuple


class Actor(NamedTuple):
    """Who acts. The name is kept in trails; the account may go.

    No `user_id`: the campus's command line. `campus`: as an admin of the campus, who need not be
    a member of the UKM.
    """

    name: str
    user_id: int | None = None
    campus: bool = False
