"""Thumbnails of profile photos: two squares without metadata; large pictures are refused."""

from io import BytesIO
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from myukm.domain.reencoding import BROKEN, to_rgb, upright
from myukm.errors import DomainError, Invalid

MAX_BYTES = 5 * 1024 * 1024
# Decoded, this many pixels take 100 MB.
MAX_PIXELS = 25_000_000
LARGE, SMALL = 256, 96  # sides in pixels
QUALITY = 82
# Pillow reports a JPEG with several pictures (gain map, depth map) as MPO; the first is the photo.
TYPES = {
    "JPEG": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "MPO": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "PNG": ("image/png",),
    "WEBP": ("image/webp",),
}
UNSPECIFIED_TYPES = ("", "application/octet-stream")

# `MAX_PIXELS` replaces Pillow's own limit, which only warns at first.
Image.MAX_IMAGE_PIXELS = None


class Thumbnails(NamedTuple):
    """The stored form of a photo: two WebP pictures without metadata."""

    large: bytes
    small: bytes


def make_thumbnails(data: bytes, content_type: str) -> Thumbnails | DomainError:
    """Return the thumbnails, or the error. The error is not raised, because gevent's pool would
    print its traceback.

    `content_type` is the declared type; a picture of another type is refused.
    """
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            return _refusal(image, content_type) or _render(image)
    except UnidentifiedImageError:
        return Invalid(_("Foto harus berupa JPEG, PNG, atau WebP."), code="photo_type")
    except BROKEN:
        return Invalid(_("Foto ini rusak atau terpotong."), code="photo_broken")


def too_large() -> DomainError:
    """Return the error for a file over 5 MB."""
    return DomainError(_("Foto paling besar 5 MB."), code="photo_too_large", status=413)


def _refusal(image: Image.Image, content_type: str) -> DomainError | None:
    """Return the error for a picture whose header shows a wrong type, size or animation."""
    if content_type not in (*TYPES[image.format or ""], *UNSPECIFIED_TYPES):
        return Invalid(_("Isi foto ini bukan seperti jenis berkasnya."), code="photo_type")
    if image.width * image.height > MAX_PIXELS:
        return Invalid(_("Foto paling besar 25 juta piksel."), code="photo_too_many_pixels")
    if image.format != "MPO" and getattr(image, "is_animated", False):
        return Invalid(_("Foto tidak boleh bergerak."), code="photo_animated")
    return None


def _render(image: Image.Image) -> Thumbnails:
    """Return the thumbnails. The picture is scaled down first, so that later steps are cheap."""
    # Decode a JPEG at a fraction of its size.
    image.draft("RGB", (2 * LARGE, 2 * LARGE))
    square = ImageOps.fit(to_rgb(image), (LARGE, LARGE))
    large = _flatten(upright(square))
    return Thumbnails(_encoded(large), _encoded(large.resize((SMALL, SMALL))))


def _flatten(image: Image.Image) -> Image.Image:
    """Return a copy on a new canvas, which has no metadata."""
    colours = image.convert("RGBA")
    sheet = Image.new("RGB", image.size, "white")
    sheet.paste(colours, mask=colours.getchannel("A"))
    return sheet


def _encoded(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=QUALITY)
    return file.getvalue()
