"""Profile photos: upload, removal, download."""

from typing import Any

from flask import Blueprint, Response, jsonify, url_for
from flask_babel import gettext as _

from myukm.domain.accounts import photos, thumbnails
from myukm.errors import DomainError
from myukm.rate_limiting.local_log import Limit
from myukm.web.account.profile import render_error
from myukm.web.http.access import actor, current_account, logged_in, wants_json
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.limits import limited
from myukm.web.http.request_parsing import form_file

bp = Blueprint("photos", __name__)
PHOTOS = Limit("photo", 20, 60)


@bp.post("/profile/photo")
@logged_in
@limited(PHOTOS)
def change() -> Any:
    """Store the form's file `photo` as the account's photo."""
    try:
        photos.change(current_account(), *sent_photo())
    except DomainError as error:
        return render_error("photo", error)
    return photo_response(201)


def sent_photo() -> tuple[bytes, str]:
    """Return the uploaded bytes and their declared type. Raises `DomainError` over 5 MB."""
    file = form_file("photo", thumbnails.MAX_BYTES, thumbnails.too_large())
    return (file.read(), file.mimetype) if file else (b"", "")


@bp.delete("/profile/photo")
@bp.post("/profile/photo/remove")
@logged_in
def remove() -> Any:
    """Delete the account's photo."""
    photos.remove(current_account(), by=actor())
    return photo_response(200)


def photo_response(status: int) -> Any:
    """Return the photo's URL as JSON, or redirect a browser to the profile."""
    if wants_json():
        return jsonify({"photo": current_account().photo}), status
    notice = _("Foto Anda diganti.") if current_account().photo else _("Foto Anda dihapus.")
    return redirect_or_json(url_for("profile.index"), notice=notice)


@bp.get("/photos/<digest>")
@logged_in
def large(digest: str) -> Response:
    """Return a photo, 256 pixels wide."""
    return picture(photos.picture(digest))


@bp.get("/photos/<digest>/small")
@logged_in
def small(digest: str) -> Response:
    """Return a photo, 96 pixels wide."""
    return picture(photos.picture(digest, small=True))


def picture(data: bytes) -> Response:
    """Return a picture, cacheable for ever because its URL contains the digest."""
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return Response(data, mimetype="image/webp", headers=headers)
