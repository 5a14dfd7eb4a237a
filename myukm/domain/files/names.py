"""Safe names of uploaded files."""

from typing import NamedTuple

from myukm.domain.text_normalization import clean_line

MAX_NAME, MAX_EXTENSION = 120, 10
FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


class FileName(NamedTuple):
    """A name in two parts; `extension` is in lower case and without its dot."""

    stem: str
    extension: str

    def __str__(self) -> str:
        end = f".{self.extension}" if self.extension else ""
        return f"{self.stem[: MAX_NAME - len(end)].rstrip(' .')}{end}"


def clean_name(sent: str) -> FileName:
    """Return the sender's file name without folders, control characters, characters that change the
    direction of text, and characters that a file system refuses."""
    name = clean_line(sent[-4 * MAX_NAME :].replace("\\", "/").rpartition("/")[2])
    stem, dot, extension = name.translate(FORBIDDEN).rstrip(" .").rpartition(".")
    is_word = extension.isascii() and extension.isalnum()
    if not dot or not is_word or len(extension) > MAX_EXTENSION:
        stem, extension = ".".join(part for part in (stem, extension) if part), ""
    return FileName(stem.strip(" .") or "berkas", extension.lower())
