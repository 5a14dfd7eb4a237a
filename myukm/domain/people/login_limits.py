"""How often somebody may try passwords and codes."""

from contextlib import AbstractContextManager

from myukm.domain.people import accounts
from myukm.domain.people.account_rules import normal_nim
from myukm.errors import DomainError, Forbidden
from myukm.models import LoginSession
from myukm.rate_limits import Permit, attempt
from myukm.rate_log import Limit, claim

ADDRESS = Limit("address", 200, 60)
NIM_AND_ADDRESS = Limit("nim-address", 10, 60)
OWN = Limit("own-password", 10, 60)
OWN_SLOWLY = Limit("own-password-slowly", 100, 3600, first_wait=60, longest_wait=900)


def log_in(nim: str, password: str, address: str) -> LoginSession:
    """Return a new log-in session. Raises `WrongCredentials`, `TooFast`."""
    with guess("login", nim, address, accounts.WrongCredentials):
        return accounts.log_in(nim, password)


def guess(
    kind: str, nim: str, address: str, *wrong: type[DomainError]
) -> AbstractContextManager[Permit]:
    """Count a guess of this kind at a NIM; it goes on counting when the block raises `wrong`."""
    claims = (
        claim(ADDRESS, kind, address),
        claim(NIM_AND_ADDRESS, kind, folded(nim), address),
    )
    return attempt(*claims, wrong=wrong)


def guess_own(user_id: int) -> AbstractContextManager[Permit]:
    """Count a guess by who sits at the account's open page; `Forbidden` says that it was wrong."""
    return attempt(claim(OWN, str(user_id)), claim(OWN_SLOWLY, str(user_id)), wrong=Forbidden)


def folded(nim: str) -> str:
    """Return what is counted of a NIM: all that could be meant for one account is one."""
    return normal_nim(nim).casefold()
