"""Paging of lists."""

from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Row, Select, func, select

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
    """Return page number `page` (at most the last) of an ordered query for objects."""
    page, pages, total = _position(query, page)
    found: Any = db.session.scalars(_of_page(query, page))
    return Page(found.all(), page, pages, total)


def paginate_rows(query: Select[Any], page: int) -> Page[Row[Any]]:
    """Return page number `page` (at most the last) of an ordered query for columns."""
    page, pages, total = _position(query, page)
    return Page(db.session.execute(_of_page(query, page)).all(), page, pages, total)


def _position(query: Select[Any], page: int) -> tuple[int, int, int]:
    """Return the page that there is (the last one if `page` is too high), the pages, the rows."""
    total = (
        db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    )
    pages = max(1, -(-total // PER_PAGE))
    return min(max(1, page), pages), pages, total


def _of_page(query: Select[Any], page: int) -> Select[Any]:
    return query.offset((page - 1) * PER_PAGE).limit(PER_PAGE)
