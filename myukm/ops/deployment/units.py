"""The systemd units of `deploy/` with the folder, the account and the services of this machine.

The files in `deploy/` are complete units for the folder `/srv/myukm` and the account `myukm`. Here
both are replaced by those of this machine.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flask_babel import gettext as _

from myukm.errors import Invalid

TEMPLATES = Path(__file__).parents[3] / "deploy"
FOLDER = "/srv/myukm"
WEB, WORKER, VALKEY = "myukm-web.service", "myukm-worker@.service", "myukm-valkey.service"
BACKUP, TIMER = "myukm-backup.service", "myukm-backup.timer"
# Characters that systemd reads as quotes, escapes, variables or patterns.
UNUSABLE = re.compile(r"""[\x00-\x1f\x7f"'\\$*?\[]""")
HIDDEN = ("/tmp/", "/var/tmp/")  # noqa: S108 (PrivateTmp hides these folders)
HOMES = ("/home/", "/root/", "/run/user/")


@dataclass(frozen=True)
class Place:
    """The program's folder, the account and group that run the program, the folder for backups, and
    the other folders into which it writes. Raises `Invalid` for a folder that a service cannot
    use."""

    folder: Path
    account: str
    group: str
    backups: Path
    writable: tuple[Path, ...]

    def __post_init__(self) -> None:
        for path in (self.folder, self.backups, *self.writable):
            _require_usable(path)


def _require_usable(path: Path) -> None:
    if UNUSABLE.search(str(path)):
        raise Invalid(
            _(
                "Folder %(folder)s memuat tanda yang tidak dapat ditulis di unit systemd; "
                "ganti namanya.",
                folder=path,
            ),
            code="bad_folder",
        )
    if f"{path}/".startswith(HIDDEN):
        raise Invalid(
            _(
                "Layanan punya /tmp sendiri dan tidak melihat %(folder)s; pindahkan, misalnya ke "
                "/srv/myukm.",
                folder=path,
            ),
            code="bad_folder",
        )


def render(place: Place, *, with_valkey: bool) -> dict[str, str]:
    """Return the text of each unit by the unit's name; `with_valkey`: with the bundled Valkey."""
    names = [WEB, WORKER, *([VALKEY] if with_valkey else []), BACKUP, TIMER]
    return {name: "\n".join(_lines(name, place)) + "\n" for name in names}


def services(*, with_valkey: bool, workers: int) -> list[str]:
    """Return the names of the services and of the timer in the order in which they are started."""
    valkey = [VALKEY] if with_valkey else []
    return [*valkey, *(WORKER.replace("@", f"@{n}") for n in range(1, workers + 1)), WEB, TIMER]


def _lines(name: str, place: Place) -> Iterator[str]:
    writable = (*place.writable, *((place.backups,) if name == BACKUP else ()))
    home = any(f"{path}/".startswith(HOMES) for path in (place.folder, *writable))
    own = {
        "User": place.account,
        "Group": place.group,
        "ReadWritePaths": " ".join(_quoted(str(path)) for path in outermost(writable)),
        "ProtectHome": "read-only" if home else "yes",
    }
    for line in (TEMPLATES / name).read_text().splitlines():
        key, _eq, value = line.partition("=")
        if key in own:
            yield f"{key}={own[key]}"
        elif key == "ExecStart":
            moved = {f"{FOLDER}/instance/backups": place.backups}
            argv = (
                str(moved.get(word, word.replace(FOLDER, str(place.folder))))
                for word in value.split()
            )
            yield f"{key}={' '.join(map(_quoted, argv))}"
        else:
            yield line.replace(FOLDER, _escaped(str(place.folder)))


def outermost(paths: Iterable[Path]) -> list[Path]:
    """Return each path once, without those that are inside another of these paths."""
    each = dict.fromkeys(paths)
    return [path for path in each if not any(other in path.parents for other in each)]


def _quoted(word: str) -> str:
    """Return a word of a unit escaped, and in quotes if it contains a space."""
    return f'"{_escaped(word)}"' if " " in word else _escaped(word)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
