"""The secret key: as set, or one that this checkout makes once."""

import os
import secrets

from myukm.catalogue import N_
from myukm.settings import sources
from myukm.settings.reader import Reader


def generated_secret(env: Reader) -> str:
    """Return this checkout's generated secret. `O_EXCL` lets only one of two concurrent first
    starts create it."""
    path = sources.INSTANCE / "secret_key"
    try:
        sources.INSTANCE.mkdir(mode=0o700, exist_ok=True)
        draft = sources.INSTANCE / f"secret_key.{os.getpid()}"
        draft.write_text(secrets.token_urlsafe(48))
        draft.chmod(0o600)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        return path.read_text()
    except OSError as error:
        raise env.wrong(
            "SECRET_KEY",
            N_("belum diisi, dan %(path)s tidak dapat ditulisi (%(error)s)"),
            path=path,
            error=error,
        ) from None
