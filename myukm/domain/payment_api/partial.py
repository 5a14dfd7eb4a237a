"""Detects answers that are only one page of a longer list.

Frameworks mark pages with different names, in the body beside `data` or in a header. The patterns
list those in use, and match names in the form of `spelling.field_key`.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from myukm.db import json as decimal_json
from myukm.domain.payment_api.spelling import field_key, words
from myukm.domain.text_normalization import clean_line

_BEFORE = "(x|wp|hydra|odata|pagination|paging|page|halaman|meta|search)*"
_ENTRIES = (
    "(data|items?|records?|rows?|results?|elements?|entries|siswa|santri|murid|students?|value)"
)
# Fields that say whether more entries exist, or where: `next_page_url`, `hasMore`, `sisa`.
NEXT = re.compile(
    f"{_BEFORE}(has|ada|is)?(next|more|lagi|berikutnya|selanjutnya|remaining|sisa|cursor|truncated"
    "|incomplete|partial|sebagian|(ms)?continuation|scrollid|(pagination|paging|page)token"
    f"|lastevaluatedkey)(page|pages|url|link|uri|cursor|token|offset|key|marker|{_ENTRIES})*"
)
LAST = re.compile(f"{_BEFORE}(is)?(last|lastpage|complete|lengkap|eof|end|done|finished|selesai)")
PAGES = re.compile(
    "(x|wp|pagination|paging|meta)*(last|max|total|num|jumlah|current)*(pages?|halaman)"
    "(count|total|number|ke)?"
)
TOTAL = re.compile(
    f"{_BEFORE}(grand|overall)?((total|jumlah|count|banyak)"
    f"(total|count|of|all|semua|keseluruhan|found|{_ENTRIES})*"
    f"|{_ENTRIES}(total|count)|num(ber)?(of|found|{_ENTRIES})+)"
)
SIZE = re.compile(f"{_BEFORE}(limit|size|length|take|(items|rows)?per(page|halaman))")
NO, YES = words("false no n tidak 0 null none") | {""}, words("true yes y ya")
MAX_DEPTH, MAX_SHOWN = 4, 60
# No text about pages is longer; patterns take quadratic time on a picture in base64, for example.
MAX_TEXT = 2000
_NEXT_LINK = re.compile(r"""rel\s*=\s*['"]?[^'";,]*\bnext\b""", re.IGNORECASE)
_PAGE_LINK = re.compile(r"(?:/|\?|https?:)\S*[?&](?:page|halaman)(?:\[number\])?=(\d+)")
# "items 0-4/200", "Menampilkan 1 sampai 5 dari 200 data"; _PART: "5 of 200", or page "1/12".
_RANGE = re.compile(r"\d+\s*(?:-|–|sampai|to|s/d)\s*\d+\s*(/|dari|of)\s*(\d[\d.,]*)")
_PART = re.compile(r"(\d+)\s*(/|dari|of)\s*(\d+)")

Field = tuple[str, Any]


def sign(body: Mapping[str, Any], headers: Mapping[str, str], count: int) -> str | None:
    """Return, as text, the field that shows that more than `count` entries exist, else None.

    A page size equal to `count` is such a field, unless another field says that the list is
    complete.
    """
    fields = [*_fields(body, MAX_DEPTH), *_header_fields(headers)]
    found = next((field for field in fields if _means_more(*field, count)), None)
    if not found and not any(_means_complete(*field, count) for field in fields):
        found = next((field for field in fields if _is_full_page(*field, count)), None)
    return clean_line(f"{found[0][:MAX_SHOWN]}: {str(found[1])[:MAX_SHOWN]}") if found else None


def _fields(part: Mapping[str, Any], depth: int) -> Iterator[Field]:
    """Yield the fields beside `data`, including those of nested objects and lists of links."""
    for name, value in part.items():
        if name == "data":
            continue
        yield name, value
        if isinstance(value, dict) and depth:
            yield from _fields(value, depth - 1)
            if TOTAL.fullmatch(field_key(name)):
                yield from ((f"{name}_{inner}", number) for inner, number in value.items())
        for link in value if isinstance(value, list) else ():
            if isinstance(link, dict):
                yield str(link.get("rel")), link.get("href") or link.get("url")


def _header_fields(headers: Mapping[str, str]) -> Iterator[Field]:
    for name, value in headers.items():
        if name.lower() == "link":
            yield ("next", value) if _NEXT_LINK.search(value) else ("link", value)
        elif value.startswith("{"):
            with suppress(ValueError, RecursionError):
                yield from _fields(decimal_json.loads(value), MAX_DEPTH)
        else:
            yield name, value


def _means_more(name: str, value: Any, count: int) -> bool:
    key, text = field_key(name), _text(value)
    if NEXT.fullmatch(key):
        return any(value.values()) if isinstance(value, dict) else bool(value) and text not in NO
    if LAST.fullmatch(key) and (text in ("false", "no", "tidak") or (key[:2], text) == ("is", "0")):
        return True
    number = _number(text)
    if PAGES.fullmatch(key) and max(number, _page_count(text)) > 1:
        return True
    return (
        _names_page(text) or max(_total_of_range(key, text, count), number * _is_total(key)) > count
    )


def _means_complete(name: str, value: Any, count: int) -> bool:
    key, text = field_key(name), _text(value)
    if NEXT.fullmatch(key):
        return not value if isinstance(value, dict | list) else text in NO
    number = _number(text)
    is_last_page = PAGES.fullmatch(key) and number == 1 and key not in ("page", "currentpage")
    is_last = LAST.fullmatch(key) and (text in YES or (key[:2], text) == ("is", "1"))
    return bool(is_last_page or is_last) or (_is_total(key) and number == count)


def _is_full_page(name: str, value: Any, count: int) -> bool:
    return SIZE.fullmatch(field_key(name)) is not None and _number(_text(value)) == count


def _is_total(key: str) -> bool:
    return TOTAL.fullmatch(key) is not None


def _names_page(text: str) -> bool:
    """Return whether a text is the address of a later page."""
    return any(int(page[:9]) > 1 for page in _PAGE_LINK.findall(text))


def _page_count(text: str) -> int:
    found = _PART.fullmatch(text)
    return _number(found[3]) if found else 0


def _total_of_range(key: str, text: str, count: int) -> int:
    """Return the total in a text such as "1-5 of 200", 0 if there is none."""
    found = _RANGE.search(text)
    if found and (found[1] != "/" or key.endswith("range")):
        return _number(found[2])
    part = _PART.fullmatch(text)
    return _number(part[3]) if part and part[2] != "/" and int(part[1][:9]) == count else 0


def _text(value: Any) -> str:
    return "" if isinstance(value, dict | list) else str(value)[:MAX_TEXT].strip().casefold()


def _number(text: str) -> int:
    """Return a number such as 200, "200.0" or "1.200"; 0 for any other text."""
    digits = re.sub(r"[.,](?=[0-9]{3}(?![0-9]))", "", text.removesuffix(".0"))
    return int(digits[:9]) if digits.isascii() and digits.isdigit() else 0
