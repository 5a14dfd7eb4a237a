"""Safe names of uploaded files."""

from typing import NamedTuple

from myukm.domain.text_normalization import clean_line

MAX_NAME, MAX_ENDING = 120, 10
FORBIDDEN = str.maketrans(dict.fromkeys('<>:"|?*', "_"))


class FileName(NamedTuple):
    """A name in two parts; `ending` is in lower case and without its dot."""

    stem: str
    ending: str

    def __str__(self) -> str:
        end = f".{self.ending}" if self.ending else ""
        return f"{self.stem[: MAX_NAME - len(end)].rstrip(' .')}{end}"


def clean_name(sent: str) -> FileName:
    """Return the sender's file name without folders, control characters, characters that change the
    direction of text, and characters that a file system refuses."""
    name = clean_line(sent[-4 * MAX_NAME :].replace("\\", "/").rpartition("/")[2])
    stem, dot, ending = name.translate(FORBIDDEN).rstrip(" .").rpartition(".")
    if not dot or not ending.isascii() or not ending.isalnum() or len(ending) > MAX_ENDING:
        stem, ending = ".".join(part for part in (stem, ending) if part), ""
    return FileName(stem.strip(" .") or "berkas", ending.lower())
