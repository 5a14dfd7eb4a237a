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


def page_and_pages(page: int, total: int, per_page: int = PER_PAGE) -> tuple[int, int]:
    """Return the page to show and the number of pages. A `page` that is too high becomes the last,
    one below 1 the first."""
    pages = max(1, -(-total // per_page))
    return min(max(1, page), pages), pages


def paginate(query: "Select[T]", page: int) -> Page[T]:
    """Return page number `page` (at most the last) of an ordered query for objects."""
    page, pages, total = _counted(query, page)
    found: Any = db.session.scalars(_of_page(query, page))
    return Page(found.all(), page, pages, total)


def paginate_rows(query: Select[Any], page: int) -> Page[Row[Any]]:
    """Return page number `page` (at most the last) of an ordered query for columns."""
    page, pages, total = _counted(query, page)
    return Page(db.session.execute(_of_page(query, page)).all(), page, pages, total)


def _counted(query: Select[Any], page: int) -> tuple[int, int, int]:
    """Return `page_and_pages` and the number of rows."""
    total = (
        db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    )
    return *page_and_pages(page, total), total


def _of_page(query: Select[Any], page: int) -> Select[Any]:
    return query.offset((page - 1) * PER_PAGE).limit(PER_PAGE)
