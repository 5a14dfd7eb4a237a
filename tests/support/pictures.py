"""Picture files for the tests, generated."""

import struct
from functools import cache
from io import BytesIO
from typing import Any

from PIL import Image

RED, BLUE = (200, 20, 20), (20, 20, 200)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return the file of an image."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def half_red(kind: str = "JPEG", turned: int = 1) -> bytes:
    """Return a blue picture whose left half is red, with a text and an orientation in its EXIF."""
    image = Image.new("RGB", (400, 300), BLUE)
    image.paste(RED, (0, 0, 200, 300))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = turned, "rahasia"
    return encoded(image, kind, exif=exif)


def half_red_with_odd_exif() -> bytes:
    """Return `half_red` with orientation 6 and an EXIF text field that contains a number: Pillow
    reads such a field but cannot write it."""
    number = struct.pack("<HHIf", 0x010E, 11, 1, 0.0)
    turned = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    head = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 2)
    image = Image.open(BytesIO(half_red()))
    return encoded(image, "JPEG", exif=head + number + turned + bytes(4))


def animated(kind: str) -> bytes:
    """Return an animated picture of two frames."""
    frames = [Image.new("RGB", (40, 40), colour) for colour in (RED, BLUE)]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:])


@cache
def bomb() -> bytes:
    """Return a PNG of 50 kB with 400 million pixels."""
    return encoded(Image.new("1", (20_000, 20_000)), "PNG")
