"""Pictures that people send: re-encoded, with a thumbnail."""

import json
from pathlib import Path
from typing import NamedTuple

from flask_babel import lazy_gettext as _

from myukm.domain import reencoding
from myukm.domain.accounts.threads import Pool
from myukm.domain.files.isolation import run_script
from myukm.errors import DomainError, Invalid

TIMEOUT_SECONDS = 40.0
POOL = Pool(threads=1, max_waiting=20)
TYPES = {
    "JPEG": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "MPO": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "PNG": ("image/png",),
    "WEBP": ("image/webp",),
    "GIF": ("image/gif",),
}
EXTENSIONS = {"JPEG": ("jpg", "jpeg"), "MPO": ("jpg", "jpeg")}


class Size(NamedTuple):
    """The size of a re-encoded picture in pixels."""

    width: int
    height: int


def reencode(source: Path, picture: Path, thumbnail: Path, extension: str, declared: str) -> Size:
    """Write the picture and its thumbnail as WebP and return the picture's size.

    `extension` (of the name) and `declared` (the content type) say what the file claims to be.
    Raises `Invalid`, or `Unavailable` if too many pictures wait.
    """
    with POOL.slot():
        paths = [str(path) for path in (source, picture, thumbnail)]
        printed = run_script(Path(reencoding.__file__), paths, TIMEOUT_SECONDS)
    result = json.loads(printed or b"{}")
    if problem := _problem(result, extension, declared):
        raise problem
    return Size(result["width"], result["height"])


def _problem(result: dict[str, object], extension: str, declared: str) -> DomainError | None:
    error = result.get("error", "" if result else "broken")
    if error == "type":
        return Invalid(_("Foto harus berupa JPEG, PNG, WebP, atau GIF."), code="file_type")
    if error == "too_many_pixels":
        return Invalid(_("Foto ini terlalu banyak pikselnya."), code="file_too_many_pixels")
    if error == "broken":
        return Invalid(_("Foto ini rusak atau terpotong."), code="file_broken")
    kind = str(result["format"])
    fits = extension in (*EXTENSIONS.get(kind, (kind.lower(),)), "")
    if not fits or declared not in (*TYPES[kind], "", "application/octet-stream"):
        return Invalid(_("Isi berkas ini bukan seperti jenis berkasnya."), code="file_type")
    return None
