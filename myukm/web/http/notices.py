"""Notices: what a change did, shown on the person's next page, with a way to undo it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import flash, get_flashed_messages


class Undo(NamedTuple):
    """The form that undoes a change: its address and its fields."""

    action: str
    fields: Mapping[str, str] = {}


class Link(NamedTuple):
    """Where a notice leads to."""

    text: str
    address: str


def add_notice(
    text: Any, undo: Undo | None = None, *, link: Link | None = None, tone: str = "good"
) -> None:
    """Show `text` on the next page of this browser, once; with a button if there is an `undo`.

    It replaces one that was not shown yet.
    """
    get_flashed_messages()
    notice = {
        "text": str(text),
        "undo": undo._asdict() if undo else None,
        "link": link._asdict() if link else None,
        "tone": tone,
    }
    flash(notice)  # type: ignore[arg-type]
