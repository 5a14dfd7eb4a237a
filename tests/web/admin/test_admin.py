"""The pages of accounts, UKMs and the audit log, which only admins may open."""

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.people import NAMES, UKM

ClientAs = Callable[[str], FlaskClient]
PAGES = ("/admin/users", "/admin/ukm", "/admin/audit")
CHANGES = [
    ("/admin/users/{member}/role", {"role": "operator"}),
    ("/admin/users/{member}/block", {}),
    ("/admin/users/{member}/unblock", {}),
    ("/admin/users/invitations", {"nim": "77", "name": "Baru", "role": "anggota"}),
    ("/admin/ukm", {"name": "Baru", "code": "BARU"}),
]


@pytest.mark.parametrize("page", PAGES)
def test_only_admins_may_open_the_pages(client_as: ClientAs, page: str) -> None:
    assert client_as("admin").get(page).status_code == 200
    for who in ("bendahara", "operator", "member"):
        assert client_as(who).get(page).status_code == 403
    assert client_as("nobody").get(page).location == f"/login?next={page}"


@pytest.mark.parametrize(("path", "body"), CHANGES)
def test_only_admins_may_make_the_changes(
    client_as: ClientAs, people: dict[str, int], path: str, body: dict[str, str]
) -> None:
    for who in ("bendahara", "operator", "member"):
        assert client_as(who).post(path.format(**people), json=body).status_code == 403
    assert client_as("nobody").post(path.format(**people), json=body).status_code == 401
    assert client_as("admin").post(path.format(**people), json=body).status_code in (200, 201)


def test_accounts_are_found_by_words_of_name_and_nim(client_as: ClientAs) -> None:
    admin = client_as("admin")
    for q in ("mega", "LESTARI meg", "2024001", "  mega  2024 "):
        page = admin.get("/admin/users", query_string={"q": q}).text
        assert "Mega Lestari" in page
        assert "Farhan Hakim" not in page
    for q in ("%", "_", "tidak ada"):
        assert "Mega" not in admin.get("/admin/users", query_string={"q": q}).text


def test_accounts_are_narrowed_by_role_and_status(
    client_as: ClientAs, people: dict[str, int]
) -> None:
    admin = client_as("admin")
    admin.post(f"/admin/users/{people['friend']}/block")

    def shown(**query: str) -> set[str]:
        page = admin.get("/admin/users", query_string=query).text
        return {who for who, (_, name, _) in NAMES.items() if f'dir="auto">{name}<' in page}

    assert shown(role="anggota") == {"member", "friend", "outsider"}
    assert shown(status="blocked") == {"friend"}
    assert shown(role="anggota", status="active") == {"member", "outsider"}
    assert shown(role="anggota", q="mega") == {"member"}
    assert shown(role="raja") == set()
    assert shown(status="aneh") == set(NAMES)


def test_the_audit_log_is_searched(client_as: ClientAs, people: dict[str, int]) -> None:
    admin = client_as("admin")
    for who in ("friend", "member"):
        admin.post(f"/admin/users/{people[who]}/block", headers={"Accept": "application/json"})
    admin.post(f"/admin/users/{people['friend']}/unblock", headers={"Accept": "application/json"})
    assert "Mega Lestari" not in admin.get("/admin/audit?q=farhan").text
    unblocked = admin.get("/admin/audit?action=user.unblock").text
    assert "Farhan Hakim" in unblocked
    assert "Mega Lestari" not in unblocked
    assert "Tidak ada catatan yang cocok" in admin.get("/admin/audit?q=%25").text
    for typed in ("lestari MÉGA", "me'ga", "‘Mega’"):
        found = admin.get("/admin/audit", query_string={"q": typed}).text
        assert "Mega Lestari" in found, typed
        assert "Farhan Hakim" not in found, typed


def test_a_block_ends_the_sessions_and_unblocking_allows_a_new_log_in(
    client_as: ClientAs, people: dict[str, int]
) -> None:
    admin, member = client_as("admin"), client_as("member")
    answer = admin.post(f"/admin/users/{people['member']}/block")
    assert (answer.status_code, answer.location) == (303, "/admin/users?q=2024001")
    assert member.get("/ukm").status_code == 302
    assert admin.post(f"/admin/users/{people['member']}/unblock").status_code == 303
    assert member.get("/ukm").status_code == 302, "its old session stays ended"
    assert client_as("member").get("/ukm").status_code == 200


def test_a_role_takes_effect_at_once(client_as: ClientAs, people: dict[str, int]) -> None:
    admin, member = client_as("admin"), client_as("member")
    change = f"/admin/users/{people['member']}/role"
    assert admin.post(change, json={"role": "raja"}).status_code == 422
    answer = admin.post(change, json={"role": "operator"})
    assert answer.get_json()["role"] == "operator"
    assert member.get("/admin/antrian").status_code == 200


@pytest.mark.parametrize("action", ["role", "block", "unblock"])
def test_admins_cannot_lock_themselves_out(
    client_as: ClientAs, people: dict[str, int], action: str
) -> None:
    admin = client_as("admin")
    mine = f"/admin/users/{people['admin']}/{action}"
    answer = admin.post(mine, json={"role": "anggota"} if action == "role" else {})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (409, "own_account")


def test_a_change_is_recorded_once_in_the_audit_log(
    client_as: ClientAs, people: dict[str, int]
) -> None:
    admin = client_as("admin")
    admin.post(f"/admin/users/{people['friend']}/block")
    admin.post(f"/admin/users/{people['friend']}/block")
    page = admin.get("/admin/audit").text
    assert page.count("memblokir 2024002 Farhan Hakim") == 1
    assert NAMES["admin"][1] in page


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "Kaligrafi", "code": " kali-1 "}, 201, None),
        ({"name": "Lagi", "code": UKM}, 409, "code_taken"),
        ({"name": " \u202e ", "code": "X1"}, 422, "bad_name"),
        ({"name": "N" * 121, "code": "X1"}, 422, "bad_name"),
        ({"name": "N", "code": "x y"}, 422, "bad_code"),
        ({"name": "N", "code": "A" * 33}, 422, "bad_code"),
        ({"name": "N", "code": "ÄB"}, 422, "bad_code"),
        ({"name": "N", "code": "X1", "description": "d" * 1001}, 422, "bad_description"),
        ({"name": 7, "code": ["X"]}, 422, "bad_name"),
        ([], 422, "bad_json"),
    ],
)
def test_a_new_ukm_needs_a_valid_name_and_a_free_code(
    client_as: ClientAs, body: Any, status: int, code: str | None
) -> None:
    answer = client_as("admin").post("/admin/ukm", json=body)
    assert answer.status_code == status
    if code:
        assert answer.get_json()["error"]["code"] == code
    else:
        made, outsider = answer.get_json(), client_as("outsider")
        assert made["code"] == "KALI-1"
        assert outsider.post("/ukm/join", json={"code": "kali-1"}).status_code == 404
        assert outsider.post("/ukm/join", json={"code": made["join_code"]}).status_code == 200


def test_a_refused_form_keeps_the_entered_values(client_as: ClientAs) -> None:
    answer = client_as("admin").post("/admin/ukm", data={"name": "Seni Rupa", "code": UKM})
    assert answer.status_code == 409
    assert "Seni Rupa" in answer.text
    assert "sudah dipakai" in answer.text


def test_the_audit_log_has_pages(client_as: ClientAs, app: Flask) -> None:
    admin = client_as("admin")
    for n in range(55):
        made = admin.post("/admin/ukm", json={"name": f"Unit {n}", "code": f"U{n}"})
        assert made.status_code == 201
    first = admin.get("/admin/audit").text
    assert "U0 Unit 0" not in first
    following = first.partition('rel="next" href="')[2].partition('"')[0]
    assert "U0 Unit 0" in admin.get(f"/admin/audit{unescape(following)}").text
    assert admin.get("/admin/audit?page=999").status_code == 200
    assert admin.get("/admin/audit?page=x").status_code == 422


HUGE = 2**80


def test_an_id_that_no_row_can_have_is_not_found(client_as: ClientAs) -> None:
    admin = client_as("admin")
    for path in (f"runs/{HUGE}", f"runs/{HUGE}/failures.csv"):
        assert admin.get(f"/admin/sync-pembayaran/{path}").status_code == 404
    assert admin.post(f"/admin/users/{HUGE}/block", json={}).status_code == 404
    start = admin.post("/admin/sync-pembayaran/start", json={"failed_of": HUGE})
    assert (start.status_code, start.get_json()["error"]["code"]) == (404, "no_such_run")


def test_half_a_surrogate_pair_is_refused_as_a_student_id(client_as: ClientAs) -> None:
    body = {"idperson": ["\ud800"]}
    answer = client_as("admin").post("/admin/sync-pembayaran/start", json=body)
    assert answer.status_code == 422


@pytest.mark.parametrize("form", [{"dry_run": "true"}, '{"dry_run": true}'])
def test_a_form_encoded_start_is_refused(client_as: ClientAs, form: Any) -> None:
    admin, kind = client_as("admin"), "application/x-www-form-urlencoded"
    answer = admin.post("/admin/sync-pembayaran/start", data=form, content_type=kind)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (400, "bad_json")
