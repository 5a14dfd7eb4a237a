"""Notices: the next page says once what a change did, and may offer a button that undoes it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import flash, get_flashed_messages


class Undo(NamedTuple):
    """The form that undoes a change: its address and its fields."""

    action: str
    fields: Mapping[str, str] = {}


class Link(NamedTuple):
    """The link in a notice."""

    text: str
    address: str


def add_notice(
    text: Any, undo: Undo | None = None, *, link: Link | None = None, tone: str = "good"
) -> None:
    """Show `text` on the next page of this browser, once, in place of a notice not shown yet.

    `undo` adds a button, `link` a link. `tone` is the colour: "good" or "wait".
    """
    get_flashed_messages()
    notice = {
        "text": str(text),
        "undo": undo._asdict() if undo else None,
        "link": link._asdict() if link else None,
        "tone": tone,
    }
    flash(notice)  # type: ignore[arg-type]
