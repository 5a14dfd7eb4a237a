"""Which kinds of files may be sent: pictures, and documents that pages only offer for download.

A file claims its kind by the extension of its name, and its first and last bytes must agree. It is
served with the content type of this list, never with the sender's.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from flask_babel import lazy_gettext as _

from myukm.errors import DomainError, Invalid

WINDOW_BYTES = 64 * 1024  # read at the beginning and at the end of a file
PICTURES = frozenset({"jpg", "jpeg", "png", "webp", "gif"})
Check = Callable[[bytes, bytes], bool]


class Kind(NamedTuple):
    """A kind of document: its content type, and the check of its first and last bytes."""

    type: str
    fits: Check


def _starts(*signatures: bytes) -> Check:
    return lambda head, _tail: head.startswith(signatures)


def _office(folder: bytes) -> Check:
    """Return the check for an Office file: a ZIP archive with this folder, or, if it has a
    password, an OLE file. The check searches the first and last bytes for the names in the archive,
    because unpacking could take any amount of memory."""

    def fits(head: bytes, tail: bytes) -> bool:
        searched = head + tail
        zipped = head.startswith(b"PK\3\4")
        has_names = b"[Content_Types].xml" in searched and folder in searched
        return (zipped and has_names) or _OLE(head, tail)

    return fits


def _open_document(name: bytes) -> Check:
    """Return the check for an OpenDocument file: an archive whose first, uncompressed file names
    the type."""
    signature = b"mimetypeapplication/vnd.oasis.opendocument." + name
    return lambda head, _tail: head.startswith(b"PK\3\4") and head[30:].startswith(signature)


def _mp3(head: bytes, _tail: bytes) -> bool:
    # A tag, or the sync bits of a frame of layer III.
    return head.startswith(b"ID3") or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2)


_OLE = _starts(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_XML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
DOCUMENTS = {
    "pdf": Kind("application/pdf", _starts(b"%PDF-")),
    "doc": Kind("application/msword", _OLE),
    "xls": Kind("application/vnd.ms-excel", _OLE),
    "ppt": Kind("application/vnd.ms-powerpoint", _OLE),
    "docx": Kind(f"{_XML}wordprocessingml.document", _office(b"word/")),
    "xlsx": Kind(f"{_XML}spreadsheetml.sheet", _office(b"xl/")),
    "pptx": Kind(f"{_XML}presentationml.presentation", _office(b"ppt/")),
    "odt": Kind(f"{_ODF}text", _open_document(b"text")),
    "ods": Kind(f"{_ODF}spreadsheet", _open_document(b"spreadsheet")),
    "odp": Kind(f"{_ODF}presentation", _open_document(b"presentation")),
    "mp3": Kind("audio/mpeg", _mp3),
    "m4a": Kind("audio/mp4", lambda head, _tail: head[4:8] == b"ftyp"),
    "ogg": Kind("audio/ogg", _starts(b"OggS")),
    "opus": Kind("audio/ogg", _starts(b"OggS")),
    "wav": Kind(
        "audio/wav", lambda head, _tail: re.match(rb"RIFF....WAVE", head, re.DOTALL) is not None
    ),
}


def is_picture(extension: str, declared: str) -> bool:
    """Return whether a file claims to be a picture, by its extension or its declared type."""
    return extension in PICTURES or declared.startswith("image/")


def document_type(draft: Path, extension: str) -> str:
    """Return the content type of the document in `draft`, a received file. Raises `Invalid` if its
    kind may not be sent, or if its bytes are of another kind."""
    kind = DOCUMENTS.get(extension)
    if kind is None:
        raise refused()
    with draft.open("rb") as file:
        head = file.read(WINDOW_BYTES)
        file.seek(max(0, draft.stat().st_size - WINDOW_BYTES))
        tail = file.read(WINDOW_BYTES)
    if not kind.fits(head, tail):
        raise Invalid(_("Isi berkas ini bukan seperti jenis berkasnya."), code="file_type")
    return kind.type


def refused() -> DomainError:
    """Return the error for a kind of file that may not be sent."""
    text = _("Jenis berkas ini tidak diterima. Kirim foto, PDF, berkas Office, atau audio.")
    return Invalid(text, code="file_type")
