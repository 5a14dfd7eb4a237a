"""Where settings come from: the environment, then `.env`, then the settings of a running demo."""

import fcntl
import os
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from myukm.catalogue import N_, translate
from myukm.settings.reader import ConfigError

# Symbolic links are not resolved: if `myukm/` is a link, the root is still the folder that contains
# the link, with its own `.env`.
ROOT = Path(__file__).absolute().parents[2]
INSTANCE = ROOT / "instance"


def environment() -> dict[str, str]:
    """Return all settings by name. Raises `ConfigError` if `.env` cannot be read."""
    return {**_demo_environment(), **file_settings(), **os.environ}


def file_settings() -> dict[str, str]:
    """Return the settings in `.env`, {} without that file. Raises `ConfigError` if the file cannot
    be read or parsed."""
    path = ROOT / ".env"
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        complaint = N_("%(path)s tidak dapat dibaca (%(error)s)")
        raise _wrong_file(complaint, path=path, error=error.strerror) from None
    if "\0" in text:
        raise _wrong_file(N_("%(path)s bukan teks UTF-8; simpan ulang sebagai UTF-8"), path=path)
    wrong = [part.original for part in parse_stream(StringIO(text)) if part.error]
    if wrong:
        part = wrong[0].string  # it begins with the blank lines before the wrong one
        line = wrong[0].line + part[: len(part) - len(part.lstrip())].count("\n")
        raise _wrong_file(N_("%(path)s baris %(n)d bukan NAMA=nilai"), path=path, n=line)
    values = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in values.items() if value is not None}


def _wrong_file(text: str, **values: object) -> ConfigError:
    return ConfigError(translate(text, os.environ.get("MYUKM_LANG", "id"), **values))


def _demo_environment() -> Mapping[str, str]:
    """Return the running demo's settings, {} if no demo holds the lock: a demo that was killed may
    have left its settings behind."""
    try:
        with (INSTANCE / "demo.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        values = dotenv_values(INSTANCE / "demo.env")
        return {k: v for k, v in values.items() if v is not None}
    except OSError:
        return {}
    return {}
