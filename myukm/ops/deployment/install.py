"""`flask install`: writes, enables and starts the units of this machine."""

import os
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flask_babel import gettext as _

from config import INSTANCE, ROOT
from myukm.embedded_valkey import HOST, PORT
from myukm.errors import Conflict, Invalid
from myukm.ops.deployment import systemd, units
from myukm.ops.deployment.units import Place
from myukm.ops.folders import written_folders
from myukm.settings.sources import file_settings


@dataclass(frozen=True)
class Services:
    """The services of this machine: `texts` maps a unit's file name to its text, `names` are the
    services in the order in which they are started."""

    place: Place
    texts: dict[str, str]
    names: list[str]


def planned(account: str | None, workers: int, backups: Path | None) -> Services:
    """Return the services for this folder and its settings, run by `account` (None: see
    `systemd.account_of`), with a nightly backup into `backups` (None: `instance/backups`).

    Raises `Invalid` for an account or a folder that services cannot use.
    """
    found = systemd.account_of(account, ROOT)
    folder = (backups or INSTANCE / "backups").absolute()
    place = Place(ROOT, found.pw_name, str(found.pw_gid), folder, tuple(written_folders()))
    # Without the settings of a demo that runs in this folder, because the services outlive it.
    settings = {**file_settings(), **os.environ}
    with_valkey = not settings.get("REDIS_URL")
    texts = units.render(place, with_valkey=with_valkey)
    return Services(place, texts, units.services(with_valkey=with_valkey, workers=workers))


def install(services: Services, folder: Path) -> list[Path]:
    """Write the units into `folder`, enable and start their services, restart services that ran
    before; return the paths that were written.

    Raises `DomainError`, before anything is written, if a requirement is missing.
    """
    systemd.require_root()
    systemd.require_systemd()
    if not folder.is_dir():
        raise Invalid(_("Tidak ada folder %(folder)s.", folder=folder))
    _require_readable(services.place)
    _require_free_port(services)
    changed = write(services.texts, folder)
    systemd.systemctl("daemon-reload")
    running = [name for name in services.names if is_running(name)]
    systemd.systemctl("enable", "--now", *services.names)
    for name in running:
        # Web and workers are restarted even if their units are unchanged, because `.env` may have
        # changed, which they read when they start.
        reads_settings = name not in (units.VALKEY, units.TIMER)
        if reads_settings or any(path.name == name for path in changed):
            systemd.systemctl("restart", name)
    return changed


def write(texts: dict[str, str], folder: Path) -> list[Path]:
    """Write the units that differ from the files in `folder` and return their paths."""
    paths = {folder / name: text for name, text in texts.items()}
    changed = [path for path in paths if not path.exists() or path.read_text() != paths[path]]
    for path in changed:
        part = path.with_name(f".{path.name}.{os.getpid()}")
        part.write_text(paths[path])
        part.chmod(0o644)
        part.replace(path)
    return changed


def is_running(service: str) -> bool:
    """Return whether systemd says that the service runs."""
    return systemd.output_of("systemctl", "is-active", service) == "active"


def _require_readable(place: Place) -> None:
    """Raise `Invalid` if the account cannot use a file or folder that a service needs, because
    systemd's own error would not say which."""
    settings = place.folder / ".env"
    if not settings.exists():
        raise Invalid(
            _("%(path)s belum ada. Tulis dulu dari deploy/env.example.", path=settings),
            code="no_settings",
        )
    _change_owner(place)
    python = place.folder / ".venv/bin/python"
    folders = units.outermost((*place.writable, place.backups))
    writable = {path: ("test", "-w", str(path)) for path in folders}
    needed = {settings: ("test", "-r", str(settings)), python: (str(python), "-c", "")} | writable
    for path, argv in needed.items():
        if systemd.as_account(place.account, *argv, cwd=Path("/")).returncode:
            raise Invalid(
                _(
                    "Pengguna %(account)s tidak dapat memakai %(path)s. "
                    "Jalankan: chown -R %(account)s: %(folder)s",
                    account=place.account,
                    path=path,
                    folder=place.folder,
                ),
                code="not_readable",
            )


def _change_owner(place: Place) -> None:
    """Give the account the files in the instance folder that commands run by root have created."""
    account = systemd.account_of(place.account, place.folder)
    for path in (INSTANCE, *INSTANCE.rglob("*")):
        with suppress(FileNotFoundError):
            if path.lstat().st_uid == 0:
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _require_free_port(services: Services) -> None:
    """Raise `Conflict` if the bundled Valkey is to be started, but its port is in use."""
    if units.VALKEY not in services.names or is_running(units.VALKEY):
        return
    with suppress(OSError), socket.create_connection((HOST, PORT), timeout=1):
        raise Conflict(
            _(
                "Port %(port)d dipakai program lain. Bila itu Valkey atau Redis, tulis REDIS_URL "
                "di .env; bila bukan, hentikan.",
                port=PORT,
            ),
            code="port_taken",
        )
