"""Notices: what a change did, told on the page that the person sees next, with a way to undo it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import flash, get_flashed_messages


class Undo(NamedTuple):
    """The form that undoes a change: its address and its fields."""

    action: str
    fields: Mapping[str, str] = {}


def tell(text: Any, undo: Undo | None = None) -> None:
    """Show `text` on the next page of this browser, once; with a button if there is an `undo`.

    It replaces one that was not shown yet.
    """
    get_flashed_messages()
    flash({"text": str(text), "undo": undo._asdict() if undo else None})  # type: ignore[arg-type]
