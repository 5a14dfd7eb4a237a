"""Every call of docs/api.yaml, made as each role: status and body conform to the file.

Each call succeeds for at least one role: here, or in test_openapi_successes.py if it refuses random
fields.

`API_EXAMPLES=50 ./run test tests/web/test_openapi.py` tries more bodies and queries.
"""

import inspect
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import insert

from myukm.db.session import transaction
from myukm.domain.chat import messages
from myukm.extensions import db
from myukm.models import Membership, Siswa, User
from myukm.web.http.security import DASHBOARD
from tests.support.people import UKM

ClientAs = Callable[[str], FlaskClient]
API = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "api.yaml")
OPERATIONS = {
    one.definition.raw["operationId"]: one for one in (r.ok() for r in API.get_all_operations())
}
ROLES = ("nobody", "member", "outsider", "operator", "bendahara", "admin")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
# Calls that are not tried here, and why.
UNTRIED = {"openStream": "it never ends; tests/live reads it"}
SUBJECTS = {
    tag["name"]: [
        name for name, one in OPERATIONS.items() if tag["name"] in one.tags and name not in UNTRIED
    ]
    for tag in API.raw_schema["tags"]
}
# Calls that test_openapi_successes.py makes with valid fields.
TRIED_WITH_VALID_FIELDS = set(
    re.findall(
        r'\bsucceeds\(\s*"(\w+)"',
        Path(__file__).with_name("test_openapi_successes.py").read_text(),
    )
)
# Routes that answer JSON and are not in the file, and why.
UNDOCUMENTED = {
    "/language": "a form's target: it only redirects",
    "/profile/photo/remove": "a form calls it in place of DELETE /profile/photo",
}
# schemathesis does not unpack what a WSGI app compressed.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
JSON_HELPERS = {"jsonify", "wants_json", "redirect_or_json"}


@pytest.fixture
def restore(app: Flask, people: dict[str, int], valkey: redis.Redis) -> Callable[[], None]:
    """Return a function that restores the sample data after a call changed them."""
    with app.app_context(), transaction() as session:
        session.query(Membership).filter_by(user_id=people["member"]).one().is_admin = True
        session.execute(insert(Siswa), [{"idperson": "100001", "nama": "Siti"}])
    with app.app_context():
        messages.post(db.session.get_one(User, people["member"]), UKM, "Halo", "c")
        engine = db.engine
    path = Path(str(engine.url.database))
    kept = path.with_suffix(".kept")
    engine.dispose()
    shutil.copy(path, kept)

    def copy_back() -> None:
        engine.dispose()
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copy(kept, path)
        valkey.flushall()

    return copy_back


@pytest.mark.parametrize("subject", sorted(SUBJECTS))
def test_responses_conform_to_the_file(
    client_as: ClientAs, people: dict[str, int], restore: Callable[[], None], subject: str
) -> None:
    existing = {"code": UKM, "idperson": "100001", "emoji": "👍"}
    broken = []
    for name in SUBJECTS[subject]:
        of_person = "/members/" in OPERATIONS[name].path or "/users/" in OPERATIONS[name].path
        real = {**existing, "id": people["friend"] if of_person else 1}
        statuses: set[int] = set()
        for who in ROLES:
            restore()
            try:
                check_call(name, client_as(who), real, statuses)
            except* AssertionError as errors:
                broken += [f"{name} as {who}: {error}" for error in errors.exceptions]
        if min(statuses) >= 400 and name not in TRIED_WITH_VALID_FIELDS:
            broken.append(f"{name}: no role had a success; call it in test_openapi_successes.py")
    assert not broken, "\n\n".join(broken)


def check_call(name: str, client: FlaskClient, real: dict[str, Any], statuses: set[int]) -> None:
    """Call an operation a few times with existing ids, and validate the responses against the file.

    The statuses of the responses are added to `statuses`.
    """
    cookie = client.get_cookie("myukm")
    cookies = {"myukm": cookie.value} if cookie else {}

    @settings(
        max_examples=int(os.environ.get("API_EXAMPLES", "2")),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=OPERATIONS[name].as_strategy())
    def call(case: schemathesis.Case) -> None:
        for parameter in case.path_parameters or {}:
            case.path_parameters[parameter] = real.get(parameter, case.path_parameters[parameter])
        answer = case.call(app=client.application, cookies=cookies, headers=HEADERS)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    call()


def test_every_call_is_tried_or_listed_as_untried() -> None:
    tried = [name for names in SUBJECTS.values() for name in names]
    assert sorted([*tried, *UNTRIED]) == sorted(OPERATIONS)


def test_every_call_that_answers_json_is_in_the_file(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    documented = set()
    for one in OPERATIONS.values():
        for action in ("pause", "cancel"):  # `{action}` stands for several routes
            filled = re.sub(r"\{\w+\}", "1", one.path.replace("{action}", action))
            endpoint, _values = adapter.match(filled, one.method.upper())
            documented.add((one.method.upper(), without_parents(endpoint)))
    missing = [
        f"{method} {rule.rule}"
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if answers_json(app.view_functions[rule.endpoint])
        and not rule.rule.startswith(DASHBOARD)
        and rule.rule not in UNDOCUMENTED
        and (method, without_parents(rule.endpoint)) not in documented
    ]
    assert missing == []


def answers_json(view: Callable[..., Any]) -> bool:
    """Return whether a view answers JSON: `json_view` or `takes` marked it, or its code calls one
    of the helpers."""
    code = getattr(inspect.unwrap(view), "__code__", None)
    calls = set(code.co_names) if code else set()
    return hasattr(view, "answers_json") or hasattr(view, "takes") or bool(JSON_HELPERS & calls)


def without_parents(endpoint: str) -> str:
    """Return the last two parts of an endpoint, because the pages of a UKM are registered below
    /ukm and below /admin/ukm, and the file has only one of them."""
    return ".".join(endpoint.split(".")[-2:])
