"""Rate limits of attempts at passwords and codes.

An attempt counts for the address, for the NIM at that address, and for the NIM from any address.
Attempts from a known browser (`devices.py`) are counted separately, so that a stranger cannot lock
the owner out.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import NamedTuple

from myukm.domain.accounts import accounts, attacks, devices
from myukm.domain.accounts.account_rules import normal_nim
from myukm.errors import DomainError, Forbidden
from myukm.models import LoginSession
from myukm.rate_limiting.limiter import Permit, acquire, attempt
from myukm.rate_limiting.local_log import Claim, Limit, claim

ADDRESS = Limit("address", 200, 60)
NIM_AND_ADDRESS = Limit("nim-address", 10, 60)
NIM = Limit("nim", 100, 3600, first_wait=60, longest_wait=900)
OWN = Limit("own", 10, 60)
OWN_SLOWLY = Limit("own-slowly", 100, 3600, first_wait=60, longest_wait=900)
REGISTRATIONS = Limit("registrations", 100, 3600)


class Caller(NamedTuple):
    """The address of an attempt, and the marks of its browser (`devices.py`)."""

    address: str
    marks: Sequence[str] = ()


def log_in(nim: str, password: str, caller: Caller) -> LoginSession:
    """Return a new log-in session. Raises `WrongCredentials`, `TooFast`."""
    with attempt(*_claims(nim, caller), wrong=accounts.WrongCredentials) as permit:
        try:
            return accounts.log_in(nim, password)
        except accounts.WrongCredentials:
            _record_attack(permit, nim, caller.address)
            raise


def _claims(nim: str, caller: Caller) -> Sequence[Claim]:
    user = accounts.by_nim(nim) if caller.marks else None
    if user and devices.is_known(caller.marks, user):
        return _own_claims("device", user.id)
    return (*_guess_claims("login", nim, caller.address), claim(NIM, _folded(nim)))


def _record_attack(permit: Permit, nim: str, address: str) -> None:
    if permit.uses_up(NIM):
        attacks.record_account(nim)
    if permit.uses_up(ADDRESS):
        attacks.record_address(address)


def limit_guesses(
    kind: str, nim: str, address: str, *wrong: type[DomainError]
) -> AbstractContextManager[Permit]:
    """Count the block as an attempt of this kind for a NIM (`attempt`). Raises `TooFast`.

    It stays counted if the block raises `wrong`. A success or another `DomainError` does not count.
    """
    return attempt(*_guess_claims(kind, nim, address), wrong=wrong)


def limit_own_guesses(user_id: int) -> AbstractContextManager[Permit]:
    """Count the block as an attempt at one's own password, if it raises `Forbidden` (`attempt`).

    Raises `TooFast`.
    """
    return attempt(*_own_claims("page", user_id), wrong=Forbidden)


@contextmanager
def limit_registrations(address: str) -> Iterator[None]:
    """Count an account created from this address, unless the block raises a `DomainError`.

    Raises `TooFast`.
    """
    permit = acquire(claim(REGISTRATIONS, address))
    try:
        yield
    except DomainError:
        permit.give_back()
        raise


def _guess_claims(kind: str, nim: str, address: str) -> Sequence[Claim]:
    return (
        claim(ADDRESS, kind, address),
        claim(NIM_AND_ADDRESS, kind, _folded(nim), address),
    )


def _own_claims(kind: str, user_id: int) -> Sequence[Claim]:
    return tuple(claim(limit, kind, str(user_id)) for limit in (OWN, OWN_SLOWLY))


def _folded(nim: str) -> str:
    """Return one key for all spellings of a NIM, so that none of them has a limit of its own."""
    return normal_nim(nim).casefold()
