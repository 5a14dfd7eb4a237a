"""Detects answers that are only one page of a longer list.

Frameworks mark pages with different names, in the body beside `data` or in a header. These are the
ones in use.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from myukm.domain.payment_api.spelling import field_key, words
from myukm.domain.text_normalization import clean_line

NEXT = words(
    """
    next nextpage nextpageurl nexturl nextlink nextcursor nextpagetoken nexttoken nextoffset
    odatanextlink hasmore hasnext hasnextpage hasmorepages morepages more xnextpage xhasmore
    xnextcursor truncated istruncated incomplete incompleteresults partial ispartial
    """
)
LAST = words("last islast islastpage lastpage complete iscomplete")
PAGES = words(
    """
    lastpage totalpages totalpage pagecount pagetotal pages numpages xtotalpages
    xpaginationpagecount xpaginationtotalpages xwptotalpages currentpage page pagenumber xpage
    halaman totalhalaman jumlahhalaman
    """
)
TOTAL = words(
    """
    total totalcount totalitems totalrecords totaldata totalelements totalrows totalresults
    recordstotal odatacount count jumlah jumlahdata jumlahsiswa totalsiswa totalstudents numfound
    xtotalcount xtotal xwptotal xpaginationtotalcount paginationcount
    """
)
MAX_DEPTH, MAX_SHOWN = 4, 60
_NEXT_LINK = re.compile(r'rel\s*=\s*"?[^";,]*\bnext\b', re.IGNORECASE)
_RANGE = re.compile(r"(?:\w+\s+)?\d+-\d+/(\d+)")


def sign(body: Mapping[str, Any], headers: Mapping[str, str], count: int) -> str | None:
    """Return the field that shows that more than these `count` entries exist, None if none does."""
    for name, value in [*_fields(body, MAX_DEPTH), *_of_headers(headers)]:
        if _means_more(field_key(name), value, count):
            return clean_line(f"{name[:MAX_SHOWN]}: {str(value)[:MAX_SHOWN]}")
    return None


def _fields(part: Mapping[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the fields beside `data`, including those of nested objects and lists of links."""
    for name, value in part.items():
        if name == "data":
            continue
        yield name, value
        if isinstance(value, dict) and depth:
            yield from _fields(value, depth - 1)
        for link in value if isinstance(value, list) else ():
            if isinstance(link, dict):
                yield str(link.get("rel")), link.get("href")


def _of_headers(headers: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    for name, value in headers.items():
        if name.lower() == "link" and _NEXT_LINK.search(value):
            yield "next", value
        elif name.lower() == "content-range" and (ends := _RANGE.match(value)):
            yield "total", ends[1]
        else:
            yield name, value


def _means_more(name: str, value: Any, count: int) -> bool:
    if name in NEXT:
        return bool(value) and str(value).strip().casefold() not in ("", "0", "false", "null")
    if name in LAST and str(value).strip().casefold() == "false":
        return True
    number = _number(value)
    return (name in PAGES and number > 1) or (name in TOTAL and number > count)


def _number(value: Any) -> int:
    text = "" if isinstance(value, bool) else str(value).strip().removesuffix(".0")
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
