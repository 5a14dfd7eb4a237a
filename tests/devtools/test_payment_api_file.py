"""The simulator answers as docs/payment-api.yaml says, from which payment systems are built."""

from pathlib import Path

import jsonschema_rs
import pytest
import requests
import schemathesis
from schemathesis.openapi.checks import JsonSchemaError
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from devtools.simulator import Simulator

API = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "payment-api.yaml")
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def answer(api: Simulator, path: str, headers: dict[str, str], **parameters: str) -> int:
    """Call an operation, compare the answer with the file, and return the status."""
    case = API[path]["GET"].Case(path_parameters=parameters, headers=headers)
    return case.call_and_validate(base_url=api.url, checks=CHECKS).status_code


def test_the_roster_and_payments_are_as_the_file_says(api: Simulator):
    assert answer(api, "/siswa", {}) == 200
    for student in requests.get(f"{api.url}/siswa", timeout=5).json()["data"][:40]:
        assert answer(api, "/payments/{idperson}", {}, idperson=student["idperson"]) == 200


def test_an_unchanged_answer_and_an_unknown_student_are_documented(api: Simulator):
    tag = requests.get(f"{api.url}/payments/100001", timeout=5).headers["ETag"]
    payments, known = "/payments/{idperson}", {"If-None-Match": tag}
    assert answer(api, payments, known, idperson="100001") == 304
    assert answer(api, payments, {}, idperson="7") == 404


@pytest.mark.parametrize("kind", ["401", "403", "503"])
def test_every_documented_refusal_is_as_the_file_says(api: Simulator, kind: str):
    api.set(fail={kind: ["100001"]})
    assert answer(api, "/payments/{idperson}", {}, idperson="100001") == int(kind)


def test_too_many_requests_are_answered_as_the_file_says(api: Simulator):
    api.set(rate=0)
    assert answer(api, "/payments/{idperson}", {}, idperson="100001") == 429


def test_an_answer_of_another_form_fails_the_comparison(api: Simulator):
    api.set(fail={"object": ["100001"]})
    with pytest.RaisesGroup(JsonSchemaError):
        answer(api, "/payments/{idperson}", {}, idperson="100001")


@pytest.mark.parametrize(
    ("amount", "fits"),
    [
        *((350000, True), ("350000.00", True), ("350.000", True), ("1.250.000,50", True)),
        *(("1,250,000", False), ("007.50", False), ("Rp 350.000", False)),
    ],
)
def test_the_schema_of_amounts_allows_what_the_text_does(amount: object, fits: bool):
    schema = API.raw_schema["components"]["schemas"]["Amount"]
    assert jsonschema_rs.validator_for(schema).is_valid(amount) == fits
