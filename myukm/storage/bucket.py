"""A bucket of an S3-compatible server, for web servers on several machines without a shared folder.

Keys are the paths of the folder storage: `ab/cd/abcd…`, and `trash/abcd…` for bytes that are about
to be deleted. A PUT is atomic in S3. Needs the package boto3, which is imported at the first use,
because few installations use a bucket.
"""

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from myukm.storage.drafts import Drafts

BLOCK_BYTES = 256 * 1024
# `READ_SECONDS` is the time until the next bytes of a response.
CONNECT_SECONDS, READ_SECONDS, TRIES = 3, 20, 2


class Bucket:
    """The storage in the bucket of `s3://[KEY:SECRET@]BUCKET[/PREFIX][?endpoint=URL&region=R]`.

    Without a key boto3 finds its own credentials. `drafts` is a folder of this machine.
    """

    def __init__(self, url: str, drafts: Path) -> None:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        self._credentials = [unquote(each) for each in (parts.username, parts.password) if each]
        self._endpoint = query.get("endpoint", [None])[0]
        self._region = query.get("region", ["us-east-1"])[0]
        self._bucket = parts.hostname or ""
        self._prefix = parts.path.strip("/") + "/" if parts.path.strip("/") else ""
        self._drafts = Drafts(drafts)

    @cached_property
    def client(self) -> Any:
        """The client, created once, because that takes a fifth of a second."""
        import boto3
        from botocore.config import Config

        key, secret = self._credentials or (None, None)
        settings = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": TRIES},
            # Other servers than Amazon's do not know the checksums that boto3 adds by default.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return boto3.client(
            "s3",
            endpoint_url=self._endpoint,
            region_name=self._region,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=settings,
        )

    def new_draft(self) -> Path:
        """Return the path of a new, empty private file on this machine."""
        return self._drafts.new()

    def store(self, draft: Path, name: str) -> None:
        """Store a draft's bytes under `name`. The draft stays."""
        with _os_errors(), draft.open("rb") as file:
            self.client.put_object(Bucket=self._bucket, Key=self._key(name), Body=file)

    def open(self, name: str) -> IO[bytes]:
        """Return the bytes. Raises FileNotFoundError."""
        # Bytes that are being trashed or restored are at one of these two places.
        for key in (self._key(name), self._trash_key(name)):
            with suppress(FileNotFoundError):
                return self._open_key(key)
        return self._open_key(self._key(name))

    def _open_key(self, key: str) -> IO[bytes]:
        place = {"Bucket": self._bucket, "Key": key}
        with _os_errors():
            answer = self.client.get_object(**place)
        raw = _Object(self.client, place, answer)
        return cast(IO[bytes], io.BufferedReader(raw, BLOCK_BYTES))

    def trash(self, name: str) -> None:
        """Copy the bytes into the trash, then delete them at their place."""
        self._move(self._key(name), self._trash_key(name))

    def restore(self, name: str) -> None:
        """Move bytes back from the trash."""
        self._move(self._trash_key(name), self._key(name))

    def purge(self, name: str) -> None:
        """Delete bytes from the trash."""
        with _os_errors():
            self.client.delete_object(Bucket=self._bucket, Key=self._trash_key(name))

    def trashed(self) -> Iterator[str]:
        """Yield the names in the trash."""
        yield from (name for name, _age in self._listed("trash/"))

    def names(self, start: str, older_than: float) -> Iterator[str]:
        """Yield the names with these first two digits, stored more than `older_than` seconds
        ago."""
        yield from (name for name, age in self._listed(f"{start}/") if age > older_than)

    def delete_drafts(self, older_than: float) -> None:
        """Delete drafts older than `older_than` seconds, which killed processes left behind."""
        self._drafts.delete_old(older_than)

    def _move(self, source: str, target: str) -> None:
        place = {"Bucket": self._bucket, "Key": source}
        try:
            with _os_errors():
                self.client.copy_object(Bucket=self._bucket, Key=target, CopySource=place)
                self.client.delete_object(Bucket=self._bucket, Key=source)
        except FileNotFoundError:
            return

    def _listed(self, folder: str) -> Iterator[tuple[str, float]]:
        pages = self.client.get_paginator("list_objects_v2")
        with _os_errors():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + folder):
                for each in page.get("Contents", ()):
                    name = each["Key"].rpartition("/")[2]
                    yield name, time.time() - each["LastModified"].timestamp()

    def _key(self, name: str) -> str:
        return f"{self._prefix}{name[:2]}/{name[2:4]}/{name}"

    def _trash_key(self, name: str) -> str:
        return f"{self._prefix}trash/{name}"


class _Object(io.RawIOBase):
    """The bytes of an object, seekable. `answer` is that of the request for all of them; to read on
    at another place than where the last read ended takes another request."""

    def __init__(self, client: Any, place: dict[str, str], answer: dict[str, Any]) -> None:
        self._client, self._place = client, place
        self._size, self._body = answer["ContentLength"], answer["Body"]
        self._at = self._body_at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        if self._at >= self._size:
            return 0
        with _os_errors():
            if self._at != self._body_at:
                self._body.close()
                part = f"bytes={self._at}-"
                self._body = self._client.get_object(**self._place, Range=part)["Body"]
                self._body_at = self._at
            found = self._body.read(len(buffer))
        buffer[: len(found)] = found
        self._at += len(found)
        self._body_at = self._at
        return len(found)

    def close(self) -> None:
        self._body.close()
        super().close()


@contextmanager
def _os_errors() -> Iterator[None]:
    """Raise FileNotFoundError for an object that does not exist, OSError for other errors of
    boto3."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("404", "NoSuchKey", "NotFound"):
            raise FileNotFoundError(code) from None
        raise OSError(f"S3: {code}") from error
    except BotoCoreError as error:
        raise OSError(f"S3: {type(error).__name__}") from error
