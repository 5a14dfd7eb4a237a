"""Answers with status 200 that say of themselves that the request failed."""

import json
from typing import Any

import pytest
from flask import Flask

from myukm.domain.payment_api.body import InvalidBody, decoded
from myukm.domain.payment_api.parser import parse

FAILED = [
    {"success": False},
    {"success": "false"},
    {"Success": 0},
    {"is_success": "0"},
    {"ok": False},
    {"berhasil": "tidak"},
    {"status": "error"},
    {"status": "Failed"},
    {"status": " gagal "},
    {"status": "ERROR: token"},
    {"status": False},
    {"status": 0},
    {"status": "500"},
    {"status": {"code": 401, "description": "Invalid key"}},
    {"code": 500},
    {"statusCode": "503"},
    {"result": "fail"},
    {"error": True},
    {"error": "timeout"},
    {"error": {"code": 17}},
    {"error": 1},
    {"errors": [{"detail": "timeout"}]},
    {"errors": {"idperson": ["tidak valid"]}},
    {"error_code": "E-17"},
    {"errorMessage": "Token expired"},
    {"meta": {"code": 200, "status": "error", "message": "Unauthorized"}},
    {"metaData": {"code": "401"}},
    {"success": ""},  # PHP's false, printed
    {"success": -1},
    {"code": -1},
    {"status": "not_ok"},
    {"status": "Tidak berhasil"},
    {"status": "Internal Server Error"},
    {"status": "500 SYSTEM_ERROR"},
    {"status": "Bad Request"},
    {"status": "Service Unavailable"},
    {"status": "time-out"},
    {"status_text": "Gateway timed out"},
    {"hasil": "gagal"},
    {"type": "error"},
    {"err": "timeout"},
    {"errorInfo": "deadlock"},
    {"pesan_error": "koneksi putus"},
    {"isFailed": 1},
    {"fault": {"faultstring": "quota"}},
    {"galat": "basis data"},
    {"meta": {"status": {"code": 500}}},
    {"response": {"meta": {"success": False}}},
    {"isSuccessful": False},
    {"succeeded": 0},
    {"request_ok": "no"},
    {"success": "unsuccessful"},
    {"success": {"status": False}},
    {"success": ["false"]},
    {"valid": False},
    {"responseCode": "4012401"},  # SNAP, Indonesia's banks: HTTP status, service, case
    {"response_code": 5002400},
    {"code": 502.0},
    {"code": "HTTP 503"},
    {"status": "HTTP/1.1 500"},
    {"http_status_code": 500},
    {"http": {"status": 504}},
    {"responseStatus": {"code": 500}},
    {"head": {"status": "failed"}},
    {"info": {"status": "error"}},
    {"kode_respon": "401"},
    {"statusKode": 401},
    {"status_respon": "gagal"},
    {"returnCode": -1},
    {"return_code": "FAIL"},
    {"rc": "NG"},
    {"ack": "Failure"},
    {"outcome": "failure"},
    {"status": ["error", "db"]},
    {"status": "NOT FOUND"},
    {"status": "not authenticated"},
    {"status": "maintenance"},
    {"status": "sibuk"},
    {"status": "processing"},
    {"status": "partial"},
    {"faultstring": "quota"},
    {"failureReason": "db"},
    {"failures": ["db"]},
    {"problem": "db"},
    {"message": {"error": "db"}},
    {"isAborted": True},
    {"timedOut": True},
    {"stackTrace": ["at Db.open"]},
]
MESSAGES = [
    "Unauthenticated.",
    "Server Error",
    "Token kedaluwarsa",
    "SQLSTATE[HY000]: refused",
    "Sesi habis, silakan login kembali",
    "Koneksi database terputus",
    "Too many requests",
    "Server sedang sibuk",
    "Under maintenance",
    "Database tidak tersedia",
    "Token tidak valid",
    "Anda tidak memiliki akses",
    "Anda belum login",
    "Could not connect",
    "Unable to fetch",
    "MySQL server has gone away",
]
FINE = [
    {},
    {"success": True},
    {"success": None},
    {"status": "success"},
    {"status": "Sukses"},
    {"status": True},
    {"status": 1},
    {"status": 200},
    {"status": "aktif"},
    {"code": 0},
    {"code": "00"},
    {"error": None},
    {"error": False},
    {"error": {}},
    {"error": ""},
    {"error": {"code": 0, "message": ""}},
    {"errors": []},
    {"errors": {}},
    {"error_code": "0000"},
    {"message": "Gagal itu biasa"},
    {"meta": {"code": 200, "status": "success"}},
    {"status": "no error"},
    {"status": "tanpa kesalahan"},
    {"errorCount": 0},
    {"type": "payments"},
    {"error": "Tidak ada"},
    {"error_message": "No Error"},
    {"errorMessage": "Sukses"},
    {"error": "tidak ada kesalahan"},
    {"error": "nihil"},
    {"error_schema": {"error_code": "ESB-00-000", "error_message": {"english": "Success"}}},
    {"responseCode": "2002400"},
    {"code": "200"},
    {"status": "HTTP/1.1 200 OK"},
    {"status": "belum lunas"},
    {"status": "no data"},
    {"default": "MTs"},
    {"version": "500"},
    {"timeout": 30},
]
ACCOUNT = {"idperson": "7", "saldo": 0, "periods": []}


@pytest.mark.parametrize("said", FAILED)
@pytest.mark.parametrize("data", [[], [ACCOUNT]])
def test_whatever_stands_in_data_it_is_no_answer(app: Flask, said: Any, data: Any) -> None:
    with app.app_context(), pytest.raises(InvalidBody, match="menyatakan gagal"):
        parse(json.dumps({**said, "data": data}).encode(), "7")


@pytest.mark.parametrize("said", FINE)
def test_what_only_looks_like_it_is_an_answer(said: Any) -> None:
    assert parse(json.dumps({**said, "data": [ACCOUNT]}).encode(), "7").saldo == 0


def test_an_account_may_say_it_too_but_its_status_is_its_own(app: Flask) -> None:
    broken = {"data": [ACCOUNT | {"error": "database locked"}]}
    with app.app_context(), pytest.raises(InvalidBody, match="database locked"):
        parse(json.dumps(broken).encode(), "7")
    left = {"data": [ACCOUNT | {"status": 0}]}
    assert parse(json.dumps(left).encode(), "7").saldo == 0


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_beside_no_data_may_say_it(app: Flask, message: str) -> None:
    with app.app_context(), pytest.raises(InvalidBody, match="menyatakan gagal"):
        parse(json.dumps({"message": message, "data": []}).encode(), "7")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "OK",
        "Tidak ada tagihan",
        "Data berhasil diambil",
        "Data tidak ditemukan",
        "Not found",
        "No payments found",
        "Siswa ini tidak memiliki tagihan",
        "Siswa belum memiliki tagihan",
        "Semua tagihan sudah lunas",
    ],
)
def test_a_message_beside_no_data_may_be_about_that(message: str) -> None:
    assert parse(json.dumps({"message": message, "data": []}).encode(), "7").saldo is None


def test_its_words_are_repeated_short_and_on_one_line(app: Flask) -> None:
    said = {"success": False, "message": "Token\n\x07kedaluwarsa " + "x" * 5000, "data": []}
    with app.app_context(), pytest.raises(InvalidBody) as caught:
        decoded(json.dumps(said).encode())
    words = str(caught.value.args[0])
    assert words.startswith("API menyatakan gagal: success: false Token kedaluwarsa x")
    assert len(words) < 250
