"""What is a valid answer of the payment API, what it adds up to, and which answers are equal."""

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
def test_the_same_money_is_the_same_answer(amount: Any) -> None:
    assert (
        parse(body(account(amount_billed=amount)), "7").digest == parse(body(account()), "7").digest
    )


def test_the_order_of_keys_means_nothing_and_every_value_does() -> None:
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
def test_what_is_no_amount(app: Flask, amount: Any) -> None:
    with app.app_context(), pytest.raises(InvalidBody):
        parse(body(account(amount_billed=amount)), "7")


@pytest.mark.parametrize(
    "number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e999999999", "1e" + "9" * 40]
)
def test_a_number_without_bounds_is_no_amount(app: Flask, number: str) -> None:
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
def test_a_text_is_read_as_its_writer_meant_it(text: str, rupiah: str) -> None:
    assert amount(text) == Decimal(rupiah)
    found = parse(body(account() | {"saldo": text}), "7")
    assert found.saldo == Decimal(rupiah)
    assert found.digest == parse(body(account() | {"saldo": float(rupiah)}), "7").digest


def test_sums_with_points_between_thousands_beside_plain_items() -> None:
    dotted = account(amount_billed=350000, amount_paid=100000, remaining_balance=250000)
    period = dotted["periods"][0]
    sums = {"total_billed": "350.000", "total_paid": "100.000", "total_remaining": "250.000"}
    period["summary"] = period["categories"][0]["summary"] = SUMMARY | sums
    assert parse(body(dotted), "7").owed.tunggakan == 250_000


@pytest.mark.parametrize("other", ["1000.50", "0.00"])
def test_two_ways_to_write_amounts_in_one_answer_are_no_answer(app: Flask, other: str) -> None:
    mixed = account(amount_billed="350.000") | {"saldo": other}
    with app.app_context(), pytest.raises(InvalidBody, match="dua cara"):
        parse(body(mixed), "7")


@pytest.mark.parametrize(
    "field", ["unit_name", "amount_billed", "amount_paid", "remaining_balance"]
)
def test_an_item_without_one_of_its_fields_spoils_all(app: Flask, field: str) -> None:
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
def test_what_is_no_answer(app: Flask, raw: bytes) -> None:
    with app.app_context(), pytest.raises(InvalidBody):
        parse(raw, "7")


def test_brackets_in_a_text_nest_nothing() -> None:
    assert parse(body(account(unit_name="[{" * 30)), "7").owed.tunggakan == 600


@pytest.mark.parametrize("before", ["\ufeff", "\ufeff\ufeff", "\r\n\ufeff "])
def test_a_byte_order_mark_is_no_part_of_the_answer(before: str) -> None:
    assert parse(before.encode() + body(account()), "7") == parse(body(account()), "7")


@pytest.mark.parametrize("number", [b"350.000", b"-1.500", b"999.999"])
def test_a_number_may_not_be_written_for_people(app: Flask, number: bytes) -> None:
    answer = body(account(remaining_balance=-77)).replace(b"-77", number)
    with app.app_context(), pytest.raises(InvalidBody, match="tanpa tanda kutip"):
        parse(answer, "7")


@pytest.mark.parametrize("number", [b"350000.000", b"350.00", b"0.000", b"0.125"])
def test_a_number_with_its_decimals_is_that_number(number: bytes) -> None:
    answer = body(account() | {"saldo": -77}).replace(b"-77", number)
    assert parse(answer, "7").saldo == Decimal(number.decode()).quantize(Decimal("0.01"))


def test_a_large_answer_is_not_a_deep_one(app: Flask) -> None:
    large = account()
    large["periods"] *= 400
    with app.app_context():
        assert len(parse(body(large), "7").periods) == 400


@pytest.mark.parametrize("owner", ["8", "07", "7 7", 70])
def test_another_students_answer(owner: Any) -> None:
    with pytest.raises(WrongStudent):
        parse(body(account() | {"idperson": owner}), "7")
    with pytest.raises(WrongStudent):
        parse(body(account(), account() | {"idperson": owner}), "7")


@pytest.mark.parametrize("owner", [7, "7   ", " 7", "7\u00a0"])
def test_an_id_may_come_as_a_number_or_padded(owner: Any) -> None:
    found = parse(body(account() | {"idperson": owner}), "7")
    assert found == parse(body(account()), "7")


def test_emoji_are_text() -> None:
    assert parse(body(account(unit_name="Juli 🎓")), "7").periods


def test_numbers_are_kept_to_the_last_digit() -> None:
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


def test_an_answer_is_the_same_in_the_plain_form_beside_other_fields_and_with_texts() -> None:
    """It is read in one step, checked in one step, or looked at part by part."""
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
def test_no_further_field_is_lost(before: str, field: str) -> None:
    known = body(account(unit_name="Juli: 2026"))
    further = known.replace(f'"{before}'.encode(), f'{field}, "{before}'.encode())
    assert parse(further, "7").digest != parse(known, "7").digest


def test_a_digest_stays_the_same_from_version_to_version() -> None:
    """Or the first run after an upgrade writes every student."""
    digest = "5b46707abc9860004b42b74a7887c4c8114fe25b810b076875b43c0fe8476056"
    assert parse(body(account()), "7").digest == digest


@pytest.mark.parametrize("kelas", ["X", 10, None, 1.5, ["X"], {"tingkat": "X"}])
def test_a_class_is_kept_as_it_came(kelas: Any) -> None:
    one = account()
    one["periods"][0]["kelas_info"] = kelas
    assert parse(body(one), "7").periods[0]["kelas_info"] == kelas
