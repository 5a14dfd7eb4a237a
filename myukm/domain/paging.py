"""Lists that are read page by page."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Select, func, select

from myukm.extensions import db

PER_PAGE = 50
T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """One page of a list; `pages` is at least 1."""

    items: Sequence[T]
    page: int
    pages: int
    total: int


def paginate(query: "Select[T]", page: int) -> Page[T]:
    """Return page number `page` of an ordered query; the last one when it is too high."""
    total = (
        db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    )
    pages = max(1, -(-total // PER_PAGE))
    page = min(max(1, page), pages)
    found: Any = db.session.scalars(query.offset((page - 1) * PER_PAGE).limit(PER_PAGE))
    return Page(found.all(), page, pages, total)
