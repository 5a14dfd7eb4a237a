"""Thumbnails of profile photos, and files that are refused."""

import random
from io import BytesIO

import pytest
from PIL import Image

from myukm.domain.accounts.thumbnails import Thumbnails, make_thumbnails
from myukm.errors import DomainError
from tests.support.pictures import (
    BLUE,
    RED,
    animated,
    bomb,
    encoded,
    half_red,
    half_red_with_odd_exif,
)

SIDES = {"left": (20, 128), "right": (236, 128), "top": (128, 20), "bottom": (128, 236)}


def decoded(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def thumbnails_of(data: bytes, content_type: str = "") -> Thumbnails:
    done = make_thumbnails(data, content_type)
    assert isinstance(done, Thumbnails), done
    return done


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("turned", "red"), [(1, {"left"}), (3, {"right"}), (6, {"top"}), (8, {"bottom"})]
)
def test_a_photo_becomes_an_upright_square(kind: str, turned: int, red: set[str]) -> None:
    done = thumbnails_of(half_red(kind, turned))
    large, small = decoded(done.large), decoded(done.small)
    assert (large.size, small.size) == ((256, 256), (96, 96))
    if turned in (1, 3):
        found = {side for side in ("left", "right") if large.getpixel(SIDES[side])[0] > 100}
    else:
        found = {side for side in ("top", "bottom") if large.getpixel(SIDES[side])[0] > 100}
    assert found == red


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_thumbnails_have_no_metadata(kind: str) -> None:
    for data in thumbnails_of(half_red(kind)):
        assert b"rahasia" not in data
        assert not Image.open(BytesIO(data)).getexif()


def test_a_photo_with_odd_metadata_is_still_turned_upright() -> None:
    large = decoded(thumbnails_of(half_red_with_odd_exif()).large)
    assert large.getpixel(SIDES["top"])[0] > 100
    assert large.getpixel(SIDES["bottom"])[0] < 100


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_pngs_of_every_mode_are_accepted(mode: str) -> None:
    image = (
        Image.new(mode, (300, 200)) if mode == "I;16" else Image.new("RGB", (9, 300)).convert(mode)
    )
    thumbnails_of(encoded(image, "PNG"), "image/png")


def test_transparent_parts_become_white() -> None:
    clear = encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG")
    assert decoded(thumbnails_of(clear).large).getpixel((128, 128)) == (255, 255, 255)


def test_the_first_picture_of_a_jpeg_with_several_pictures_is_used() -> None:
    done = thumbnails_of(animated("MPO"), "image/jpeg")
    assert decoded(done.large).getpixel((128, 128))[0] > 100


def test_tiny_and_thin_pictures_are_accepted() -> None:
    for size in ((1, 1), (4000, 1), (1, 4000)):
        thumbnails_of(encoded(Image.new("RGB", size, RED), "PNG"))


@pytest.mark.parametrize(
    ("data", "content_type", "code"),
    [
        (b"", "image/png", "photo_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "photo_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "photo_type"),
        (encoded(Image.new("RGB", (9, 9)), "GIF"), "image/gif", "photo_type"),
        (encoded(Image.new("RGB", (9, 9)), "GIF"), "image/png", "photo_type"),
        (encoded(Image.new("RGB", (9, 9)), "BMP"), "", "photo_type"),
        (half_red("PNG"), "image/jpeg", "photo_type"),
        (half_red("JPEG"), "text/html", "photo_type"),
        (animated("PNG"), "image/png", "photo_animated"),
        (animated("WEBP"), "image/webp", "photo_animated"),
    ],
)
def test_other_files_are_refused(data: bytes, content_type: str, code: str) -> None:
    refused = make_thumbnails(data, content_type)
    assert isinstance(refused, DomainError)
    assert (refused.code, refused.status) == (code, 422)


def test_a_photo_of_too_many_pixels_is_refused() -> None:
    refused = make_thumbnails(bomb(), "image/png")
    assert isinstance(refused, DomainError)
    assert (refused.code, refused.status) == ("photo_too_many_pixels", 422)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_truncated_photos_are_refused(kind: str) -> None:
    whole = half_red(kind)
    refused = make_thumbnails(whole[: len(whole) * 2 // 3], "")
    assert isinstance(refused, DomainError)
    assert refused.code == "photo_broken"


@pytest.mark.filterwarnings("ignore")  # Pillow warns of broken Exif and continues
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_damaged_photos_never_crash(kind: str) -> None:
    rng, whole = random.Random(7), half_red(kind)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        assert isinstance(make_thumbnails(bytes(data), ""), Thumbnails | DomainError)


def test_colours_are_kept() -> None:
    large = decoded(thumbnails_of(half_red()).large)
    for side, colour in (("left", RED), ("right", BLUE)):
        difference = zip(large.getpixel(SIDES[side]), colour, strict=True)
        assert max(abs(got - wanted) for got, wanted in difference) < 16
