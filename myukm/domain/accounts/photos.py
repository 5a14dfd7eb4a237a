"""Profile photos: store, remove, read."""

from hashlib import sha256

from flask_babel import lazy_gettext as _
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from myukm.db.session import transaction
from myukm.domain import activity
from myukm.domain.accounts import accounts, profile_events
from myukm.domain.accounts.threads import Pool
from myukm.domain.accounts.thumbnails import MAX_BYTES, make_thumbnails, too_large
from myukm.domain.actor import Actor
from myukm.domain.flood import count_act
from myukm.errors import DomainError, NotFound
from myukm.extensions import db
from myukm.models import Photo, User

POOL = Pool(threads=1, max_waiting=20)


def change(user: User, data: bytes, content_type: str) -> str:
    """Store the uploaded picture as the account's photo and return its digest.

    Raises `DomainError` for anything but an acceptable photo; then nothing changes.
    """
    if len(data) > MAX_BYTES:
        raise too_large()
    made = POOL.call(make_thumbnails, data, content_type)
    if isinstance(made, DomainError):
        raise made
    digest = sha256(made.large).hexdigest()[:32]
    with transaction() as session:
        count_act(user.id)
        account = _remove_current(session, user.id)
        session.add(Photo(user_id=account.id, digest=digest, large=made.large, small=made.small))
        account.photo_hash = digest
        _publish(account, "user.photo", Actor.of(account))
    return digest


def remove(user: User, *, by: Actor) -> None:
    """Delete the account's photo, if any."""
    if user.photo_hash is None:
        return
    with transaction() as session:
        _publish(_remove_current(session, user.id), "user.photo.remove", by)


def _remove_current(session: Session, user_id: int) -> User:
    """Lock and return the account, so that concurrent uploads wait, and delete its photo."""
    user = accounts.lock(session, user_id)
    if user is None or user.deleted_at:
        raise NotFound(_("Akun ini sudah dihapus."), code="account_deleted")
    session.execute(delete(Photo).where(Photo.user_id == user_id))
    user.photo_hash = None
    return user


def _publish(user: User, action: str, by: Actor) -> None:
    activity.record(by, action, f"{user.nim} {user.name}")
    profile_events.publish(user, profile_events.ukm_codes(user.id))


def picture(digest: str, *, small: bool = False) -> bytes:
    """Return the WebP file with this digest. Raises `NotFound`."""
    column = Photo.small if small else Photo.large
    found = db.session.scalar(select(column).where(Photo.digest == digest).limit(1))
    if found is None:
        raise NotFound(_("Foto ini tidak ada lagi."), code="no_such_photo")
    return found
