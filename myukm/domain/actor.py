"""The actor of an action: an account, or the command line."""

from typing import NamedTuple, Self

from myukm.models import User


class Actor(NamedTuple):
    """The actor of an action. Activity logs store the name, because the account may be deleted.

    `user_id` is None for the command line. `campus`: acts as a campus admin, who need not be a
    member of the UKM.
    """

    name: str
    user_id: int | None = None
    campus: bool = False

    @classmethod
    def of(cls, user: User) -> Self:
        """Return the account as an actor, under the name that it has now."""
        return cls(user.name, user.id)
