"""The secret key that is generated once if `SECRET_KEY` is not set."""

import os
import secrets

from myukm.catalogue import N_
from myukm.settings import sources
from myukm.settings.reader import Reader


def generated_secret(env: Reader) -> str:
    """Return this checkout's generated secret, created at the first start. `os.link` lets only one
    of two concurrent first starts create it. Raises `ConfigError` if it cannot be written."""
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
