"""Which answers are one page of a longer list, by the pagination fields of many frameworks."""

from typing import Any

import pytest

from myukm.domain.payment_api.partial import sign

FIVE: dict[str, Any] = {"data": [{"idperson": str(number)} for number in range(5)]}
MORE = [
    {"total": "1.200"},
    {"total_row": 60},
    {"grand_total": 60},
    {"total": {"siswa": 60}},
    {"hits": {"total": {"value": 60}}},
    {"hydra:totalItems": 60},
    {"limit": 5, "offset": 0},
    {"page": 1, "per_page": "5"},
    {"remaining": 55},
    {"sisa": 55},
    {"continuationToken": "abc"},
    {"LastEvaluatedKey": {"id": "5"}},
    {"next": {"href": "/siswa?cursor=abc"}},
    {"halaman_berikutnya": 2},
    {"selanjutnya": "/siswa?p=2"},
    {"halaman": "1 dari 12"},
    {"page": "1/12"},
    {"links": [{"url": "/siswa?page=2", "label": "Next &raquo;"}]},
    {"_links": {"last": {"href": "https://api.kampus.ac.id/siswa?size=5&page=12"}}},
    {"hasMoreData": "Y"},
    {"ada_lagi": True},
    {"max_pages": 12},
    {"is_last": 0},
    {"done": False},
    {"lengkap": False},
    {"range": "0-4/60"},
    {"info": "Menampilkan 1 sampai 5 dari 60 data"},
    {"message": "5 of 60"},
]
WHOLE = [
    {},
    {"page": 1, "per_page": 5, "total": 5},
    {"per_page": 5, "last_page": 1},
    {"limit": 5, "next": None},
    {"limit": 5, "has_more": False},
    {"limit": 5, "has_more": "false"},
    {"limit": 5, "is_last": 1},
    {"limit": 5, "is_last": "true"},
    {"limit": 1000, "offset": 0},
    {"halaman": "1 dari 1"},
    {"next": {"href": None}},
    {"token": "abc", "version": 12, "code": 200, "tahun": 2026},
    {"total_tagihan": 900_000, "num": 900_000},
    {"tahun": "2025/2026", "semester": "2025-2026/1000"},
]


@pytest.mark.parametrize("beside", MORE)
def test_each_known_pagination_field_is_detected(beside: dict[str, Any]) -> None:
    assert sign(FIVE | beside, {}, 5)
    assert sign(FIVE | {"meta": beside}, {}, 5)


@pytest.mark.parametrize("beside", WHOLE)
def test_fields_that_only_look_like_a_page_are_ignored(beside: dict[str, Any]) -> None:
    assert sign(FIVE | beside, {}, 5) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Pagination", '{"TotalCount": 60, "PageSize": 5}'),
        ("X-Page-Count", "12"),
        ("X-Pages", "12"),
        ("X-Pagination-Total", "60"),
        ("X-Total-Records", "60"),
        ("Link", "</siswa?page=2>; title=x; rel='next'"),
        ("Link", '</siswa?page=12>; rel="last"'),
        ("X-Next", "/siswa?p=2"),
        ("Items-Range", "0-4/60"),
    ],
)
def test_headers_that_mark_a_page_are_detected(name: str, value: str) -> None:
    assert sign(FIVE, {name: value}, 5)


def test_headers_that_say_that_nothing_follows_are_believed() -> None:
    assert sign(FIVE, {"X-Per-Page": "5"}, 5)
    assert sign(FIVE, {"X-Per-Page": "5", "X-Has-More": "false"}, 5) is None


def test_only_the_beginning_of_a_long_text_is_searched() -> None:
    """The patterns would take minutes for a picture of 1 MB in base64."""
    assert sign(FIVE | {"logo": "a" * 1900 + " /siswa?page=2"}, {}, 5)
    assert sign(FIVE | {"logo": "a" * 2000 + " /siswa?page=2"}, {}, 5) is None


def test_other_headers_are_ignored() -> None:
    limits = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "55", "RateLimit": "60"}
    others = {"Age": "600", "ETag": '"1-5/60"', "X-Pagination": "{", "X-Request-Id": "600"}
    assert sign(FIVE, limits | others, 5) is None
