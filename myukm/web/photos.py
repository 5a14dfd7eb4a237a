"""Profile photos: sending one, removing it, seeing them."""

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from werkzeug.exceptions import RequestEntityTooLarge

from myukm.domain.people import photos, pictures
from myukm.errors import DomainError
from myukm.rate_log import Limit
from myukm.web.access import logged_in, me, wants_json
from myukm.web.arguments import SMALL_BODY
from myukm.web.limits import limited
from myukm.web.profile import refused

bp = Blueprint("photos", __name__)
PHOTOS = Limit("photo", 20, 60)


@bp.post("/profile/photo")
@logged_in
@limited(PHOTOS)
def change() -> Any:
    """Make the file `photo` of the form the account's photo."""
    try:
        photos.change(me(), *sent_photo())
    except DomainError as error:
        return refused("photo", error)
    return shown(201)


def sent_photo() -> tuple[bytes, str]:
    """Return the sent file and the type it claims to have. Raises `DomainError` over 5 MB."""
    request.max_content_length = pictures.MAX_BYTES + SMALL_BODY
    try:
        file = request.files.get("photo")
    except RequestEntityTooLarge:
        raise pictures.too_large() from None
    return (file.read(), file.mimetype) if file else (b"", "")


@bp.delete("/profile/photo")
@bp.post("/profile/photo/remove")
@logged_in
def remove() -> Any:
    """Take the account's photo away."""
    photos.remove(me(), by=me().name)
    return shown(200)


def shown(status: int) -> Any:
    """Answer the photo's address to a script, the profile to a browser."""
    if wants_json():
        return jsonify({"photo": me().photo}), status
    return redirect(url_for("profile.index"), 303)


@bp.get("/photos/<digest>")
@logged_in
def large(digest: str) -> Response:
    """Hand out a photo, 256 pixels wide."""
    return picture(photos.picture(digest))


@bp.get("/photos/<digest>/small")
@logged_in
def small(digest: str) -> Response:
    """Hand out a photo, 96 pixels wide."""
    return picture(photos.picture(digest, small=True))


def picture(data: bytes) -> Response:
    """Return a picture that its reader may keep for ever: its address names its content."""
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(data, mimetype="image/webp", headers=headers)
