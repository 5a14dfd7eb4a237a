"""Thumbnails of uploaded photos: two squares, decoded with limits, without metadata."""

import struct
import zlib
from io import BytesIO
from typing import NamedTuple

from flask_babel import lazy_gettext as _
from PIL import Image, ImageOps, UnidentifiedImageError

from myukm.errors import DomainError, Invalid

MAX_BYTES = 5 * 1024 * 1024
# 25 million pixels are 100 MB once decoded.
MAX_PIXELS = 25_000_000
LARGE, SMALL, QUALITY = 256, 96, 82
# A JPEG with more pictures in it (a gain map, a depth map) is called MPO; the first is the photo.
TYPES = {
    "JPEG": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "MPO": ("image/jpeg", "image/jpg", "image/pjpeg"),
    "PNG": ("image/png",),
    "WEBP": ("image/webp",),
}
UNSPECIFIED_TYPES = ("", "application/octet-stream")
# What Pillow's decoders raise for data that is cut off or makes no sense.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)

# The limit above takes the place of Pillow's own, which only warns at first.
Image.MAX_IMAGE_PIXELS = None


class Thumbnails(NamedTuple):
    """A photo as it is stored: two WebP pictures without any metadata."""

    large: bytes
    small: bytes


def make_thumbnails(data: bytes, content_type: str) -> Thumbnails | DomainError:
    """Return thumbnails or the refusal; it is not raised, because gevent's pool prints escaped
    exceptions.

    `content_type` is what the sender calls it; what it is not is refused.
    """
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP")) as image:
            return _refusal(image, content_type) or _render(image)
    except UnidentifiedImageError:
        return Invalid(_("Foto harus berupa JPEG, PNG, atau WebP."), code="photo_type")
    except BROKEN:
        return Invalid(_("Foto ini rusak atau terpotong."), code="photo_broken")


def too_large() -> DomainError:
    """Return the answer to more than 5 MB."""
    return DomainError(_("Foto paling besar 5 MB."), code="photo_too_large", status=413)


def _refusal(image: Image.Image, content_type: str) -> DomainError | None:
    """Return what speaks against a picture of which only the header was read."""
    if content_type not in (*TYPES[image.format or ""], *UNSPECIFIED_TYPES):
        return Invalid(_("Isi foto ini bukan seperti jenis berkasnya."), code="photo_type")
    if image.width * image.height > MAX_PIXELS:
        return Invalid(_("Foto paling besar 25 juta piksel."), code="photo_too_many_pixels")
    if image.format != "MPO" and getattr(image, "is_animated", False):
        return Invalid(_("Foto tidak boleh bergerak."), code="photo_animated")
    return None


def _render(image: Image.Image) -> Thumbnails:
    """Return the thumbnails; as little work as possible is done at full size."""
    # A JPEG is decoded at a fraction of its size where that is enough.
    image.draft("RGB", (2 * LARGE, 2 * LARGE))
    square = ImageOps.fit(_to_rgb(image), (LARGE, LARGE))
    large = _flatten(ImageOps.exif_transpose(square))
    return Thumbnails(_encoded(large), _encoded(large.resize((SMALL, SMALL))))


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return the picture in a mode whose pixels can be averaged."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image if image.mode in ("RGB", "RGBA", "L", "CMYK") else image.convert("RGBA")


def _flatten(image: Image.Image) -> Image.Image:
    """Return a new picture, so that nothing of the old one's metadata comes along."""
    colours = image.convert("RGBA")
    sheet = Image.new("RGB", image.size, "white")
    sheet.paste(colours, mask=colours.getchannel("A"))
    return sheet


def _encoded(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", quality=QUALITY)
    return file.getvalue()
