"""Pictures that people send: re-encoded, with a thumbnail."""

import json
from pathlib import Path
from typing import NamedTuple

from flask_babel import lazy_gettext as _

from myukm.domain import drawing
from myukm.domain.accounts.threads import Pool
from myukm.domain.files.isolation import run_script
from myukm.errors import DomainError, Invalid

SECONDS = 40.0
DRAWING = Pool(threads=1, max_waiting=20)
TYPES = {
    "JPEG": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "MPO": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "PNG": ("image/png",),
    "WEBP": ("image/webp",),
    "GIF": ("image/gif",),
}
ENDINGS = {"JPEG": ("jpg", "jpeg"), "MPO": ("jpg", "jpeg")}


class Drawn(NamedTuple):
    """The size of a re-encoded picture in pixels."""

    width: int
    height: int


def draw(source: Path, picture: Path, thumbnail: Path, ending: str, declared: str) -> Drawn:
    """Write the picture and its thumbnail as WebP and return the picture's size.

    `ending` (of the name) and `declared` (the content type) say what the file claims to be. Raises
    `Invalid`, or `Unavailable` if too many pictures wait.
    """
    with DRAWING.slot():
        paths = [str(path) for path in (source, picture, thumbnail)]
        printed = run_script(Path(drawing.__file__), paths, SECONDS)
    answer = json.loads(printed or b"{}")
    if problem := _problem(answer, ending, declared):
        raise problem
    return Drawn(answer["width"], answer["height"])


def _problem(answer: dict[str, object], ending: str, declared: str) -> DomainError | None:
    error = answer.get("error", "" if answer else "broken")
    if error == "type":
        return Invalid(_("Foto harus berupa JPEG, PNG, WebP, atau GIF."), code="file_type")
    if error == "too_many_pixels":
        return Invalid(_("Foto ini terlalu banyak pikselnya."), code="file_too_many_pixels")
    if error == "broken":
        return Invalid(_("Foto ini rusak atau terpotong."), code="file_broken")
    kind = str(answer["format"])
    fits = ending in (*ENDINGS.get(kind, (kind.lower(),)), "")
    if not fits or declared not in (*TYPES[kind], "", "application/octet-stream"):
        return Invalid(_("Isi berkas ini bukan seperti jenis berkasnya."), code="file_type")
    return None
