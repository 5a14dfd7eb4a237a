"""The people of the tests, each with a role: the owner, the member, the outsider."""

import secrets
from functools import cache

from myukm.db.session import transaction
from myukm.domain.accounts.passwords import hash_password
from myukm.models import LoginSession, Membership, Ukm, User

PASSWORD = "rahasia-sekali"
NAMES = {
    "admin": ("admin1", "Siti Rahma", "admin"),
    "bendahara": ("bendahara1", "Budi Santoso", "bendahara"),
    "operator": ("operator1", "Oki Pratama", "operator"),
    "member": ("2024001", "Mega Lestari", "anggota"),
    "friend": ("2024002", "Farhan Hakim", "anggota"),
    "outsider": ("2024003", "Rudi Hartono", "anggota"),
}
UKM = "ROBOTIK"


@cache
def _hash() -> str:
    return hash_password(PASSWORD)


def create_accounts() -> dict[str, int]:
    """Create all accounts, ROBOTIK with member and friend, PRAMUKA with outsider.

    Returns the accounts' ids by name.
    """
    with transaction() as session:
        users = {
            who: User(nim=nim, name=name, role=role, password_hash=_hash())
            for who, (nim, name, role) in NAMES.items()
        }
        ukm = Ukm(code=UKM, join_code=UKM, name="UKM Robotika")
        other = Ukm(code="PRAMUKA", join_code="PRAMUKA", name="Pramuka")
        session.add_all([*users.values(), ukm, other])
        session.flush()
        for who in ("member", "friend"):
            session.add(Membership(ukm_id=ukm.id, user_id=users[who].id))
        session.add(Membership(ukm_id=other.id, user_id=users["outsider"].id))
    return {who: user.id for who, user in users.items()}


def token_for(user_id: int) -> str:
    """Log an account in without its password and return the session's token."""
    token = secrets.token_urlsafe(16)
    with transaction() as session:
        session.add(LoginSession(token_hash=LoginSession.digest(token), user_id=user_id))
    return token
