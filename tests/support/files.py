"""Uploads of chat files, and small files of several kinds."""

import io
import zipfile
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from tests.support.people import UKM

FILES, MESSAGES = f"/ukm/{UKM}/files", f"/ukm/{UKM}/messages"
FORM = "multipart/form-data; boundary=X"
PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


def form(
    data: bytes, name: str, kind: str | None = None, client_id: str = "f1", field: str = "file"
) -> bytes:
    """Return the body of an upload, as a browser makes it; its boundary is X."""
    if kind is None:
        kind = "image/jpeg" if name.endswith("jpg") else ""
    head = f'form-data; name="{field}"; filename="{name}"'
    return (
        (
            f'--X\r\nContent-Disposition: form-data; name="client_id"\r\n\r\n{client_id}\r\n'
            f"--X\r\nContent-Disposition: {head}\r\nContent-Type: {kind}\r\n\r\n"
        ).encode()
        + data
        + b"\r\n--X--\r\n"
    )


def upload(client: FlaskClient, *what: Any, **more: Any) -> Any:
    """Upload a file as a browser does (see `form`) and return the answer."""
    return client.post(FILES, data=form(*what, **more), content_type=FORM)


def send(client: FlaskClient, files: list[int], text: str = "", client_id: str = "m1") -> Any:
    """Send a message with files that were uploaded, and return the answer."""
    return client.post(MESSAGES, json={"message": text, "client_id": client_id, "files": files})


def office(folder: str = "word") -> bytes:
    """Return an archive that looks like an office file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{folder}/document.xml", "<x/>")
    return file.getvalue()


def stored_names(folder: Path) -> set[str]:
    """Return the names of the files stored in a storage's folder."""
    return {path.name for path in folder.glob("??/??/*")}


def left_behind(folder: Path) -> list[Path]:
    """Return unfinished uploads and files that wait for their deletion: `drafts/` and `trash/`."""
    return [*folder.glob("drafts/*"), *folder.glob("trash/*")]
