"""Which answers of the payment API are valid, their sums, and which answers have equal digests."""

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from devtools.sample import payments as sample_payments
from devtools.sample import student
from myukm.db import json as decimal_json
from myukm.domain.payment_api.body import InvalidBody
from myukm.domain.payment_api.parser import WrongStudent, amount, parse
from tests.support import bills

SUMMARY = {"total_billed": 1000, "total_paid": 400, "total_remaining": 600, "fully_paid": False}


def account(**item: Any) -> dict[str, Any]:
    """An account of student 7 with one item, which can be changed."""
    bill = {
        "unit_name": "Juli",
        "amount_billed": 1000,
        "amount_paid": 400,
        "remaining_balance": 600,
    }
    category = {"category_name": "SPP", "summary": SUMMARY, "items": [bill | item]}
    period = {"period_id": "20252026", "kelas_info": "X", "summary": SUMMARY}
    return {"idperson": "7", "saldo": 0, "periods": [period | {"categories": [category]}]}


def body(*accounts: Any) -> bytes:
    return json.dumps({"data": list(accounts)}).encode()


def test_the_sample_campus_is_valid() -> None:
    for index in range(200):
        idperson = student(index)["idperson"]
        data = sample_payments(student(index))
        found = parse(body(*data), idperson)
        right = bills.truth(data[0]["periods"] if data else [])
        assert found.owed.tunggakan == right.tunggakan
        assert found.owed.status == right.status


def test_no_payments_is_an_empty_list_and_nothing_owed() -> None:
    found = parse(b'{"data": []}', "7")
    assert (found.periods, found.saldo, found.owed.tunggakan) == ([], None, 0)
    assert (found.owed.status, found.owed.lunas) == ("tanpa_tagihan", False)


def test_overpaid_periods_do_not_settle_others() -> None:
    one, other = account(amount_paid=6000, remaining_balance=-5000), account()
    one["periods"].append(other["periods"][0] | {"period_id": "20262027"})
    found = parse(body(one), "7").owed
    assert (found.tunggakan, found.lebih_bayar, found.lunas) == (600, 5000, False)


@pytest.mark.parametrize("amount", [1000, "1000", 1000.0, "1000.00"])
def test_equal_amounts_in_any_notation_have_the_same_digest(amount: Any) -> None:
    assert (
        parse(body(account(amount_billed=amount)), "7").digest == parse(body(account()), "7").digest
    )


def test_the_digest_depends_on_every_value_but_not_on_the_order_of_keys() -> None:
    same = dict(reversed(list(account().items())))
    first = parse(body(account()), "7").digest
    assert parse(body(same), "7").digest == first
    for changed in (
        account(amount_paid=401),
        account(unit_name="Agustus"),
        account(note="bayar di kantin"),
        account() | {"saldo": 1},
    ):
        assert parse(body(changed), "7").digest != first


@pytest.mark.parametrize(
    "amount",
    [
        *(None, "", "Rp 1000", " 1000", "+5", "1e3", True, 10**30, -(10**13), [], "९"),
        *("1,250,000", "1,250.50", "350,000", "1.25.000", "1.2500.000", "1.250.000,505"),
        *("0350.000", "00.50", "NaN", "Infinity", "-Infinity", "1e400"),
    ],
)
def test_invalid_amounts_are_refused(app: Flask, amount: Any) -> None:
    with app.app_context(), pytest.raises(InvalidBody):
        parse(body(account(amount_billed=amount)), "7")


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e999999999", "1e" + "9" * 40]
)
def test_infinite_and_huge_numbers_are_refused(app: Flask, number: str) -> None:
    answer = body(account(remaining_balance=-77)).replace(b"-77", number.encode())
    with app.app_context(), pytest.raises(InvalidBody):
        parse(answer, "7")


@pytest.mark.parametrize(
    ("text", "rupiah"),
    [
        ("350.000", "350000"),
        ("-350.000", "-350000"),
        ("1.250.000", "1250000"),
        ("1.250.000,50", "1250000.50"),
        ("350000,5", "350000.5"),
        ("0,00", "0"),
        ("350000.000", "350000"),
        ("350000.50", "350000.50"),
        ("350.5", "350.5"),
        ("0.500", "0.5"),
    ],
)
def test_amounts_as_text_are_read_in_both_notations(text: str, rupiah: str) -> None:
    assert amount(text) == Decimal(rupiah)
    found = parse(body(account() | {"saldo": text}), "7")
    assert found.saldo == Decimal(rupiah)
    assert found.digest == parse(body(account() | {"saldo": float(rupiah)}), "7").digest


def test_sums_with_thousands_separators_beside_plain_items_are_accepted() -> None:
    dotted = account(amount_billed=350000, amount_paid=100000, remaining_balance=250000)
    period = dotted["periods"][0]
    sums = {"total_billed": "350.000", "total_paid": "100.000", "total_remaining": "250.000"}
    period["summary"] = period["categories"][0]["summary"] = SUMMARY | sums
    assert parse(body(dotted), "7").owed.tunggakan == 250_000


@pytest.mark.parametrize("other", ["1000.50", "0.00"])
def test_an_answer_with_both_notations_is_refused(app: Flask, other: str) -> None:
    mixed = account(amount_billed="350.000") | {"saldo": other}
    with app.app_context(), pytest.raises(InvalidBody, match="dua cara"):
        parse(body(mixed), "7")


@pytest.mark.parametrize(
    "field", ["unit_name", "amount_billed", "amount_paid", "remaining_balance"]
)
def test_an_item_without_a_required_field_is_refused(app: Flask, field: str) -> None:
    broken = account()
    del broken["periods"][0]["categories"][0]["items"][0][field]
    with app.app_context(), pytest.raises(InvalidBody):
        parse(body(broken), "7")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b'{"data": {}}',
        b'{"data": [null]}',
        b'{"data": [NaN]}',
        b"\xff\xfe{}",
        b"<!doctype html>",
        b"[" * 200_000,
        b'{"data": [{"idperson": "7", "saldo": 0, "periods": [], "x": '
        + b'{"y":[' * 14
        + b"]}" * 14
        + b"}]}",
        body(account()).replace(
            b'"periods"', b'"x": ' + b"[" * 9_000 + b"]" * 9_000 + b', "periods"'
        ),
        b'{"data": [{"idperson": "7", "saldo": NaN, "periods": []}]}',
        b'{"data": [{"idperson": "7", "saldo": 0, "periods": [], "x": "\\ud800"}]}',
        b'{"data": [{"idperson": "7", "saldo": 0, "periods": [], "x": "\\u0000"}]}',
        b'{"data": [{"idperson": "7", "saldo": 0}]}',
        b'{"data": [{"saldo": 0, "periods": []}]}',
    ],
)
def test_bodies_of_another_form_are_refused(app: Flask, raw: bytes) -> None:
    with app.app_context(), pytest.raises(InvalidBody):
        parse(raw, "7")


def test_brackets_in_a_text_do_not_count_as_nesting() -> None:
    assert parse(body(account(unit_name="[{" * 30)), "7").owed.tunggakan == 600


@pytest.mark.parametrize("before", ["\ufeff", "\ufeff\ufeff", "\r\n\ufeff "])
def test_byte_order_marks_before_the_answer_are_ignored(before: str) -> None:
    assert parse(before.encode() + body(account()), "7") == parse(body(account()), "7")


@pytest.mark.parametrize("number", [b"350.000", b"-1.500", b"999.999"])
def test_a_json_number_with_three_decimals_is_refused_as_ambiguous(
    app: Flask, number: bytes
) -> None:
    answer = body(account(remaining_balance=-77)).replace(b"-77", number)
    with app.app_context(), pytest.raises(InvalidBody, match="tanpa tanda kutip"):
        parse(answer, "7")


@pytest.mark.parametrize("number", [b"350000.000", b"350.00", b"0.000", b"0.125"])
def test_other_json_numbers_with_decimals_are_exact(number: bytes) -> None:
    answer = body(account() | {"saldo": -77}).replace(b"-77", number)
    assert parse(answer, "7").saldo == Decimal(number.decode()).quantize(Decimal("0.01"))


def test_a_large_but_shallow_answer_is_accepted(app: Flask) -> None:
    large = account()
    large["periods"] *= 400
    with app.app_context():
        assert len(parse(body(large), "7").periods) == 400


@pytest.mark.parametrize("owner", ["8", "07", "7 7", 70])
def test_an_answer_about_another_student_is_refused(owner: Any) -> None:
    with pytest.raises(WrongStudent):
        parse(body(account() | {"idperson": owner}), "7")
    with pytest.raises(WrongStudent):
        parse(body(account(), account() | {"idperson": owner}), "7")


@pytest.mark.parametrize("owner", [7, "7   ", " 7", "7\u00a0"])
def test_an_id_may_come_as_a_number_or_padded(owner: Any) -> None:
    found = parse(body(account() | {"idperson": owner}), "7")
    assert found == parse(body(account()), "7")


def test_emoji_in_names_are_accepted() -> None:
    assert parse(body(account(unit_name="Juli 🎓")), "7").periods


def test_unknown_numbers_are_kept_exactly() -> None:
    raw = b'{"data":[{"idperson":7,"saldo":10.10,"periods":[],"x":1}]}'
    raw = raw.replace(
        b"[]",
        b'[{"period_id":"1","exact":12345678901234567.890,"summary":%b,'
        b'"categories":[]}]' % json.dumps(SUMMARY).encode(),
    )
    found = parse(raw, "7")
    assert found.saldo == Decimal("10.10")
    assert '"exact":12345678901234567.890' in decimal_json.dumps(found.periods)
    assert decimal_json.loads(decimal_json.dumps(found.periods)) == found.periods


def test_all_three_ways_of_parsing_give_the_same_result() -> None:
    """In one step (the plain form); with the digest of the body read as JSON, because a field
    beside `data` is unknown; and field by field, because amounts are texts."""
    for index in range(200):
        idperson = student(index)["idperson"]
        data = sample_payments(student(index))
        plain = parse(body(*data), idperson)
        assert parse(json.dumps({"data": data, "meta": {}}).encode(), idperson) == plain
        texts = re.sub(rb'("[a-z]+_[a-z]+": )(-?[0-9]+)', rb'\1"\2"', body(*data))
        found = parse(texts, idperson)
        assert (found.digest, found.owed, found.bills) == (plain.digest, plain.owed, plain.bills)


@pytest.mark.parametrize("field", ['"x": 1', '"x" : 1', '"x"\n:1', '"x": ":"', '"x\\u003a": 1'])
@pytest.mark.parametrize(
    "before", ["idperson", "period_id", "total_paid", "category_name", "unit_"]
)
def test_an_unknown_field_anywhere_in_the_account_changes_the_digest(
    before: str, field: str
) -> None:
    known = body(account(unit_name="Juli: 2026"))
    further = known.replace(f'"{before}'.encode(), f'{field}, "{before}'.encode())
    assert parse(further, "7").digest != parse(known, "7").digest


def test_a_digest_stays_the_same_from_version_to_version() -> None:
    """Otherwise the first run after an upgrade writes every student."""
    digest = "5b46707abc9860004b42b74a7887c4c8114fe25b810b076875b43c0fe8476056"
    assert parse(body(account()), "7").digest == digest


@pytest.mark.parametrize("kelas", ["X", 10, None, 1.5, ["X"], {"tingkat": "X"}])
def test_the_class_is_stored_as_it_came(kelas: Any) -> None:
    one = account()
    one["periods"][0]["kelas_info"] = kelas
    assert parse(body(one), "7").periods[0]["kelas_info"] == kelas
