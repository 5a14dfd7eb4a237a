"""Re-encodes a picture in a process of its own, so that decoding takes no memory of the web server.

`python reencoding.py SOURCE PICTURE THUMBNAIL` reads the first file, writes the two others and
prints one line of JSON: `{"format", "width", "height"}` of the picture, or `{"error"}`. Only the
pixels survive: no EXIF, no GPS position, no comment.
"""

import json
import os
import resource
import struct
import sys
import zlib

from PIL import ExifTags, Image, UnidentifiedImageError

MEMORY_BYTES, CPU_SECONDS = 1 << 30, 20
# A JPEG may have more pixels, because it can be decoded at a fraction of its size: to at most
# `DECODED_PIXELS`.
MAX_PIXELS = {"JPEG": 64_000_000, "MPO": 64_000_000}
MAX_OTHER_PIXELS = 16_800_000
DECODED_PIXELS = 6_600_000
MAX_SIDE, PREVIEW_SIDE = 2048, 320  # longest sides in pixels
QUALITY = 82
# Pillow reports a JPEG with several pictures (gain map, depth map) as MPO; the first is the photo.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
# The exceptions of Pillow's decoders for truncated or malformed data.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)
# By the orientation of EXIF, of which 1 is upright.
TURNS: dict[object, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# `MAX_PIXELS` replaces Pillow's own limit, which only warns at first.
Image.MAX_IMAGE_PIXELS = None


def reencode(source: str, picture: str, thumbnail: str) -> dict[str, object]:
    """Write the picture and its thumbnail to these paths; return the object to print."""
    try:
        with Image.open(source, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS.get(image.format or "", MAX_OTHER_PIXELS):
                return {"error": "too_many_pixels"}
            found = {"format": image.format}
            flat = _flat(upright(_reduced(image)))
    except UnidentifiedImageError:
        return {"error": "type"}
    except MemoryError:
        return {"error": "too_many_pixels"}
    except BROKEN:
        return {"error": "broken"}
    flat.save(picture, "WEBP", quality=QUALITY)
    flat.resize(_thumbnail_size(*flat.size)).save(thumbnail, "WEBP", quality=QUALITY)
    return {**found, "width": flat.width, "height": flat.height}


def _thumbnail_size(width: int, height: int) -> tuple[int, int]:
    """Return the size of the thumbnail: for sharp screens, twice the size at which a page shows
    the picture (`models/chat_file.py`); exactly that size if the picture is not twice as large.

    The aspect ratio equals that on the page, because otherwise the page would jump when the
    thumbnail loads.
    """
    scale = min(1, PREVIEW_SIDE / max(width, height))
    shown = [max(1, round(side * scale)) for side in (width, height)]
    times = 2 if 2 * shown[0] <= width and 2 * shown[1] <= height else 1
    return times * shown[0], times * shown[1]


def _reduced(image: Image.Image) -> Image.Image:
    """Return the picture, at most `MAX_SIDE` wide and high."""
    scale = 1
    while image.width * image.height > DECODED_PIXELS * scale * scale:
        scale *= 2
    image.draft("RGB", (image.width // scale, image.height // scale))
    plain = to_rgb(image)
    plain.thumbnail((MAX_SIDE, MAX_SIDE))
    if exif := image.info.get("exif"):
        plain.info["exif"] = exif
    return plain


def to_rgb(image: Image.Image) -> Image.Image:
    """Return the picture in a mode that can be resized smoothly."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image if image.mode in ("RGB", "RGBA", "L", "CMYK") else image.convert("RGBA")


def upright(image: Image.Image) -> Image.Image:
    """Return the picture turned as its EXIF says; unchanged if the EXIF is missing or malformed.

    `ImageOps.exif_transpose` is not used, because it also writes the EXIF anew and fails if any
    other value in it is odd.
    """
    try:
        turn = TURNS.get(image.getexif().get(ExifTags.Base.Orientation))
    except (*BROKEN, AttributeError, KeyError, TypeError):
        return image
    return image if turn is None else image.transpose(turn)


def _flat(image: Image.Image) -> Image.Image:
    """Return a copy on a new white canvas, which has no metadata."""
    sheet = Image.new("RGB", image.size, "white")
    if image.mode == "RGBA":
        sheet.paste(image, mask=image.getchannel("A"))
    else:
        sheet.paste(image.convert("RGB"))
    return sheet


if __name__ == "__main__":
    os.nice(5)  # web requests have priority
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.stdout.write(json.dumps(reencode(*sys.argv[1:4])))
