"""Responses with status 200 whose body reports a failure."""

import json
from typing import Any

import pytest
from flask import Flask

from myukm.domain.payment_api.body import InvalidBody, decode
from myukm.domain.payment_api.parser import parse

REPORTS = [
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
FAILURE_MESSAGES = [
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
HARMLESS = [
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
    {"errors": "none found"},
    {"error": "0 errors"},
    {"error": "0 errors found"},
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


def body(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields).encode()


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("data", [[], [ACCOUNT]])
def test_a_reported_failure_is_invalid_whatever_data_holds(
    app: Flask, report: dict[str, Any], data: list[Any]
) -> None:
    with app.app_context(), pytest.raises(InvalidBody, match="menyatakan gagal"):
        parse(body({**report, "data": data}), "7")


@pytest.mark.parametrize("fields", HARMLESS)
def test_a_harmless_field_is_no_reported_failure(fields: dict[str, Any]) -> None:
    assert parse(body({**fields, "data": [ACCOUNT]}), "7").saldo == 0


def test_an_error_inside_an_account_counts_but_its_status_does_not(app: Flask) -> None:
    with app.app_context(), pytest.raises(InvalidBody, match="database locked"):
        parse(body({"data": [ACCOUNT | {"error": "database locked"}]}), "7")
    assert parse(body({"data": [ACCOUNT | {"status": 0}]}), "7").saldo == 0


@pytest.mark.parametrize("message", FAILURE_MESSAGES)
def test_without_data_a_message_can_report_a_failure(app: Flask, message: str) -> None:
    with app.app_context(), pytest.raises(InvalidBody, match="menyatakan gagal"):
        parse(body({"message": message, "data": []}), "7")


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
def test_a_message_that_there_are_no_payments_is_no_failure(message: str) -> None:
    assert parse(body({"message": message, "data": []}), "7").saldo is None


def test_a_reported_message_is_shortened_to_one_line(app: Flask) -> None:
    report = {"success": False, "message": "Token\n\x07kedaluwarsa " + "x" * 5000, "data": []}
    with app.app_context(), pytest.raises(InvalidBody) as caught:
        decode(body(report))
    text = str(caught.value.args[0])
    assert text.startswith("API menyatakan gagal: success: false Token kedaluwarsa x")
    assert len(text) < 250
