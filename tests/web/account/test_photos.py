"""Profile photos over HTTP."""

from collections.abc import Callable
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from myukm.extensions import db
from myukm.models import Photo
from tests.conftest import every_database
from tests.support.pictures import animated, bomb, half_red

ClientAs = Callable[[str], FlaskClient]
SCRIPT = {"Accept": "application/json"}


def send(client: FlaskClient, data: bytes, kind: str = "image/jpeg", **headers: str):
    head = f'Content-Disposition: form-data; name="photo"; filename="f"\r\nContent-Type: {kind}'
    body = b"--X\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n--X--\r\n"
    form = "multipart/form-data; boundary=X"
    return client.post("/profile/photo", data=body, content_type=form, headers=headers)


@every_database
def test_a_photo_is_stored_in_two_sizes_for_all_who_are_logged_in(client_as: ClientAs) -> None:
    member = client_as("member")
    answer = send(member, half_red(), **SCRIPT)
    assert answer.status_code == 201
    address = answer.get_json()["photo"]
    for path, side in ((address, 96), (address.removesuffix("/small"), 256)):
        picture = client_as("outsider").get(path)
        assert picture.mimetype == "image/webp"
        assert picture.headers["X-Content-Type-Options"] == "nosniff"
        assert picture.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert Image.open(BytesIO(picture.data)).size == (side, side)
        assert client_as("nobody").get(path).status_code == 302
    page = member.get("/profile").text
    assert page.count(address) >= 2, "in the bar and the menu"


def test_a_form_redirects_to_the_profile(client_as: ClientAs) -> None:
    member = client_as("member")
    assert send(member, half_red("PNG"), "image/png").location == "/profile"
    assert member.post("/profile/photo/remove").location == "/profile"
    assert "/photos/" not in member.get("/profile").text


def test_a_new_photo_has_a_new_url_and_the_old_url_is_404(app: Flask, client_as: ClientAs) -> None:
    member = client_as("member")
    first = send(member, half_red(), **SCRIPT).get_json()["photo"]
    second = send(member, half_red(turned=3), **SCRIPT).get_json()["photo"]
    assert first != second
    assert member.get(first).status_code == 404
    with app.app_context():
        assert db.session.query(Photo).count() == 1
    removed = member.delete("/profile/photo", headers=SCRIPT)
    assert removed.get_json() == {"photo": None}
    assert member.get(second).status_code == 404


@pytest.mark.parametrize(
    ("data", "kind", "status", "code"),
    [
        (b"<svg/>", "image/svg+xml", 422, "photo_type"),
        (b"<svg/>", "image/png", 422, "photo_type"),
        (half_red("PNG"), "image/jpeg", 422, "photo_type"),
        (half_red()[:2000], "image/jpeg", 422, "photo_broken"),
        (animated("WEBP"), "image/webp", 422, "photo_animated"),
        (bomb(), "image/png", 422, "photo_too_many_pixels"),
        (half_red() + b"\0" * 5 * 1024 * 1024, "image/jpeg", 413, "photo_too_large"),
        (b"\0" * 7 * 1024 * 1024, "image/jpeg", 413, "photo_too_large"),
    ],
)
def test_a_refused_photo_changes_nothing(
    client_as: ClientAs, data: bytes, kind: str, status: int, code: str
) -> None:
    member = client_as("member")
    kept = send(member, half_red(), **SCRIPT).get_json()["photo"]
    answer = send(member, data, kind, **SCRIPT)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
    assert member.get(kept).status_code == 200
    page = send(member, data, kind)
    assert page.status_code == status
    assert 'role="alert"' in page.text


def test_an_admin_removes_a_photo(client_as: ClientAs, people: dict[str, int]) -> None:
    photo = send(client_as("member"), half_red(), **SCRIPT).get_json()["photo"]
    path = f"/admin/users/{people['member']}/photo/remove"
    assert client_as("friend").post(path).status_code == 403
    admin = client_as("admin")
    assert photo in admin.get("/admin/users").text
    assert admin.post(path).status_code == 303
    assert admin.get(photo).status_code == 404
    trail = admin.get("/admin/audit?action=user.photo.remove").text
    assert "Siti Rahma" in trail
    assert "2024001 Mega Lestari" in trail


@pytest.mark.parametrize("body", [{}, {"photo": "teks"}])
def test_a_form_without_a_file_is_refused(client_as: ClientAs, body: dict[str, str]) -> None:
    answer = client_as("member").post("/profile/photo", data=body)
    assert answer.status_code == 422


def test_an_unknown_photo_is_not_found(client_as: ClientAs) -> None:
    for digest in ("0" * 32, "x" * 500, "%00", "%ff"):
        assert client_as("member").get(f"/photos/{digest}").status_code == 404
