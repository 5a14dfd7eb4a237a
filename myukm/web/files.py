"""Files of a UKM's chat: upload, download."""

from typing import Any
from urllib.parse import quote

from flask import Blueprint, Response, jsonify, request
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import FileWrapper

from myukm.db.session import release_connection
from myukm.domain.chat import uploads
from myukm.domain.chat.uploads import Upload
from myukm.domain.files import attachments, quotas
from myukm.domain.ukm import memberships
from myukm.errors import NotFound
from myukm.models import ChatFile
from myukm.rate_limiting.local_log import Limit
from myukm.storage import storage
from myukm.web.http.access import current_account, json_view, logged_in
from myukm.web.http.limits import limited
from myukm.web.http.receiving import announced_size, received, storage_unavailable, upload_slot
from myukm.web.ukm.access import member

UPLOADS = Limit("file", 120, 60)
BLOCK_BYTES = 64 * 1024
# For a file in a tab of its own: it runs no scripts and loads nothing from other sites.
POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"

bp = Blueprint("files", __name__, url_prefix="/ukm/<code>/files")


@bp.post("")
@json_view
@member
@limited(UPLOADS)
def upload(code: str) -> Any:
    """Store the form's file `file`: 201, or 200 if its `client_id` is already stored."""
    me = current_account()
    membership = uploads.check_may_upload(me.id, code, announced_size())
    with upload_slot(me.id):
        release_connection()
        with received(quotas.max_bytes(), quotas.too_large()) as sent:
            client_id = sent.fields.get("client_id", "")
            if known := uploads.stored_before(membership, client_id):
                return jsonify(known.as_json(code)), 200
            return store_response(code, Upload(sent.draft, sent.name, sent.type, client_id))


def store_response(code: str, sent: Upload) -> Any:
    """Store an upload; return the response. Raises `Unavailable` if the storage is unreachable."""
    try:
        file, new = uploads.store(current_account().id, code, sent)
    except OSError as error:
        raise storage_unavailable() from error
    return jsonify(file.as_json(code)), 201 if new else 200


@bp.delete("/<int:file_id>")
@json_view
@logged_in
def discard(code: str, file_id: int) -> Any:
    """Delete the user's own file if it is not sent yet."""
    membership = memberships.get_membership(current_account().id, code)
    attachments.discard_unsent(membership, file_id)
    return "", 204


@bp.get("/<int:file_id>")
@logged_in
def download(code: str, file_id: int) -> Response:
    """Return a file: a picture inline, any other file as a download."""
    file = find_file(code, file_id)
    disposition = "inline" if file.is_picture else "attachment"
    return file_response(file.digest, file.type, f"{disposition}; {name_parameters(file.name)}")


@bp.get("/<int:file_id>/thumbnail")
@logged_in
def thumbnail(code: str, file_id: int) -> Response:
    """Return the small version of a picture."""
    file = find_file(code, file_id)
    if file.thumbnail is None:
        raise not_found()
    return file_response(file.thumbnail, "image/webp", "inline")


def find_file(code: str, file_id: int) -> ChatFile:
    """Return a file that the user may read. Raises `NotFound`."""
    return attachments.find(memberships.get_membership(current_account().id, code), file_id)


def file_response(digest: str, content_type: str, disposition: str) -> Response:
    """Return stored bytes, or the requested range of them. Raises `NotFound`, or `Unavailable` if
    the storage is unreachable."""
    release_connection()  # a storage that hangs must not use up the pool
    try:
        file = storage().open(digest)
    except FileNotFoundError:
        raise not_found() from None
    except OSError as error:
        raise storage_unavailable() from error
    size = file.seek(0, 2)
    file.seek(0)
    headers = {
        "Content-Disposition": disposition,
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, max-age=86400",
    }
    answer = Response(FileWrapper(file, BLOCK_BYTES), content_type=content_type, headers=headers)
    answer.direct_passthrough = True
    answer.content_length = size
    answer.set_etag(digest)
    try:
        answer.make_conditional(request, accept_ranges=True, complete_length=size)
    except HTTPException:
        answer.close()
        raise
    return answer


def name_parameters(name: str) -> str:
    """Return the parameters of `Content-Disposition` for a file name."""
    plain = name.encode("ascii", "replace").decode().replace("?", "_").replace('"', "_")
    return f"filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def not_found() -> NotFound:
    """Return the error for a file that is not there."""
    return NotFound(_("Berkas ini tidak ada lagi."), code="no_such_file")
