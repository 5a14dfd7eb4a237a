"""Calls of docs/api.yaml that succeed only with valid fields, such as the code of an invitation.

test_openapi.py sends random fields, which most of these calls refuse. Here each call succeeds, and
its response is validated against the file.
"""

import io
from collections.abc import Callable
from typing import Any

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from devtools.simulator.client import Simulator
from myukm.db.session import transaction
from myukm.domain.exports import writing
from myukm.domain.roster import work
from myukm.domain.siswa import listing_files
from myukm.domain.sync import dispatching, lane_job
from myukm.models import Membership
from tests.queues.test_failures import fail
from tests.support import sync
from tests.support.people import NAMES, PASSWORD, UKM
from tests.support.pictures import half_red
from tests.support.push_service import FakeBrowser
from tests.web.test_openapi import CHECKS, HEADERS, OPERATIONS

Body = dict[str, Any]
Succeeds = Callable[..., TestResponse]
People = dict[str, int]
FETCH = (dispatching.dispatch, lane_job.run_lane)
NEW_PASSWORD = "kata sandi yang baru 99"
pytestmark = pytest.mark.usefixtures("no_flood_guard")


@pytest.fixture
def settings(settings: dict[str, str], simulator: Simulator) -> dict[str, str]:
    return settings | {"PEMBAYARAN_API_URL": simulator.url}


@pytest.fixture
def succeeds(app: Flask, people: People, client_as: Callable[[str], FlaskClient]) -> Succeeds:
    """`succeeds("pin", "member", {"text": "Halo"})` makes a call and returns its response.

    `who` is a person or a browser where one is logged in, `body` is JSON. The other keywords are
    the values of the path; the UKM is ROBOTIK, and member its admin.
    """
    with app.app_context(), transaction() as session:
        session.query(Membership).filter_by(user_id=people["member"]).one().is_admin = True

    def call(
        name: str,
        who: str | FlaskClient,
        body: Body | None = None,
        *,
        form: Body | None = None,
        query: Body | None = None,
        **path: object,
    ) -> TestResponse:
        case = OPERATIONS[name].Case(path_parameters={"code": UKM, **path})
        client = client_as(who) if isinstance(who, str) else who
        sent = {"json": body, "data": form, "query_string": query, "headers": HEADERS}
        answer = client.open(case.formatted_path, method=case.method, buffered=True, **sent)
        assert answer.status_code < 400, f"{name}: {answer.status_code} {answer.text}"
        case.validate_response(answer, checks=CHECKS)
        return answer

    return call


def file(field: str, data: bytes, name: str = "a.csv") -> Body:
    """Return the form of an upload."""
    return {field: (io.BytesIO(data), name)}


def work_on(app: Flask, row_id: int, *jobs: Callable[[int], object]) -> None:
    """Call each job with the id of a run, an import or an export, as a worker does."""
    for job in jobs:
        with app.app_context():
            job(row_id)


def test_accounts(succeeds: Succeeds, people: People) -> None:
    nim = NAMES["friend"][0]
    succeeds("logIn", "nobody", {"nim": nim, "password": PASSWORD})
    succeeds("changePassword", "friend", {"old": PASSWORD, "new": NEW_PASSWORD})
    reset = succeeds("makeResetCode", "admin", id=people["friend"]).json["code"]
    succeeds("resetPassword", "nobody", {"nim": nim, "code": reset, "password": NEW_PASSWORD})
    succeeds("deleteAccount", "outsider", {"password": PASSWORD})


def test_invitations(succeeds: Succeeds) -> None:
    invited = {"nim": "77001", "name": "Ani", "role": "anggota"}
    succeeds("invite", "admin", invited)
    succeeds("invite", "admin", invited | {"nim": "77002"})
    succeeds("withdrawInvitation", "admin", id=2)
    code = succeeds("renewInvitation", "admin", id=1).json["code"]
    succeeds("register", "nobody", {"nim": "77001", "code": code, "password": NEW_PASSWORD})
    roster = b"nim,name,role\n77003,Ani,anggota\n"
    succeeds("checkRoster", "admin", form=file("roster", roster))
    succeeds("importRoster", "admin", form=file("roster", roster))


def test_photos_and_notifications(
    succeeds: Succeeds, client_as: Callable[[str], FlaskClient]
) -> None:
    photo = succeeds("setPhoto", "member", form=file("photo", half_red(), "a.jpg")).json["photo"]
    digest = photo.split("/")[2]
    succeeds("getPhoto", "friend", digest=digest)
    succeeds("getSmallPhoto", "friend", digest=digest)
    mega = client_as("member")
    succeeds("subscribeBrowser", mega, FakeBrowser("https://push.example.com", "x").subscription)
    succeeds(
        "renewBrowserSubscription", mega, FakeBrowser("https://push.example.com", "y").subscription
    )
    succeeds("sendTestNotification", mega)


def test_chat(succeeds: Succeeds) -> None:
    post = {"message": f"Halo @{NAMES['member'][1]}", "client_id": "m1"}
    first = succeeds("postMessage", "friend", post).json["id"]
    assert succeeds("postMessage", "friend", post).status_code == 200
    answer = {"message": "Ya?", "client_id": "m2", "reply_to": first}
    second = succeeds("postMessage", "friend", answer).json["id"]
    assert succeeds("searchUkm", "member", query={"q": "halo"}).json["messages"]
    assert succeeds("searchEverywhere", "member", query={"q": "halo"}).json["messages"]
    for body in ({"text": "Pengumuman"}, {"message_id": first}):
        succeeds("pin", "member", body)
    for message in (first, second):
        succeeds("reportMessage", "member", {"reason": "kasar"}, id=message)
    assert succeeds("listReports", "member").json["reports"]
    succeeds("dismissReports", "member", id=first)
    succeeds("agreeWithReports", "member", id=second)


def test_files_of_the_chat(succeeds: Succeeds) -> None:
    for status in (201, 200):
        sent = file("file", half_red(), "a.jpg") | {"client_id": "f1"}
        assert succeeds("uploadFile", "member", form=sent).status_code == status
    succeeds("getFile", "member", id=1)
    succeeds("getThumbnail", "member", id=1)
    succeeds("discardFile", "member", id=1)


def test_joining_and_leaving_a_ukm(succeeds: Succeeds, people: People) -> None:
    outsider = {"id": people["outsider"]}
    succeeds("createUkm", "admin", {"name": "Catur", "code": "CATUR", "description": "Main"})
    succeeds("joinUkm", "outsider", {"code": UKM})
    succeeds("muteMember", "member", {"for": "1h"}, **outsider)
    succeeds("leaveUkm", "outsider")
    link = succeeds("openJoinLink", "member", {"days": 7}).json["url"]
    succeeds("joinByLink", "outsider", token=link.rpartition("/")[2])
    succeeds("removeMember", "member", {"block": True}, **outsider)
    succeeds("unblockPerson", "member", **outsider)
    succeeds("removeMember", "member", {}, id=people["friend"])
    succeeds("takeMemberBack", "member", id=people["friend"])
    succeeds("listUkm", "member", {"intro": "Ayo", "listed": True})
    succeeds("askToJoin", "outsider")
    assert succeeds("listRequests", "member").json["requests"]
    succeeds("withdrawRequest", "outsider")
    succeeds("askToJoin", "outsider")
    succeeds("acceptRequest", "member", **outsider)
    succeeds("leaveUkm", "outsider")
    succeeds("askToJoin", "outsider")
    succeeds("refuseRequest", "member", **outsider)


def test_sync(app: Flask, succeeds: Succeeds, simulator: Simulator) -> None:
    simulator.set(fail={"404": ["100001"]})
    work_on(app, 3, sync.create_students)
    succeeds("startRun", "bendahara", {"idperson": ["100001", "100002"]})
    succeeds("changeRun", "bendahara", action="pause")
    succeeds("resumeRun", "bendahara", {"accept": False})
    work_on(app, 1, *FETCH)
    assert succeeds("getChanges", "operator", id=1).json["changes"]
    assert succeeds("getChangesFile", "operator", id=1).text.count("\n") > 1
    assert "100001" in succeeds("getFailures", "operator", id=1).text
    succeeds("retryFailed", "bendahara", {"code": "not_found"})
    succeeds("changeRun", "bendahara", action="cancel")


def test_students(app: Flask, succeeds: Succeeds, simulator: Simulator) -> None:
    work_on(app, 1, sync.create_students)
    succeeds("startRun", "bendahara", {})
    work_on(app, 1, *FETCH)
    code = succeeds("createStudentCode", "bendahara", idperson="100001").json["code"]
    succeeds("linkStudent", "outsider", {"code": code})
    mine = succeeds("showOwnBills", "outsider").json
    assert mine["pembayaran"]
    assert mine["changes"]
    succeeds("getStudent", "bendahara", idperson="100001")
    succeeds("unlinkStudent", "bendahara", idperson="100001")


def test_imports(app: Flask, succeeds: Succeeds) -> None:
    def preview(import_id: int) -> Any:
        roster = file("roster", b"idperson,nama\n1,Ani\n")
        succeeds("previewFile", "bendahara", form=roster)
        work_on(app, import_id, work.advance)
        return succeeds("showImport", "bendahara", id=import_id).json

    assert preview(1)["changes"]
    succeeds("applyImport", "bendahara", {"plan": 1}, id=1)
    work_on(app, 1, work.advance)
    assert succeeds("listImports", "admin").json["imports"]
    succeeds("undoImport", "bendahara", id=1)
    preview(2)
    succeeds("withdrawImport", "bendahara", id=2)


def test_exports(app: Flask, succeeds: Succeeds, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing_files, "MAX_STUDENTS", 0)
    work_on(app, 1, sync.create_students)
    assert succeeds("exportDebtsCsv", "bendahara").status_code == 202
    assert succeeds("exportDebtsXlsx", "bendahara").status_code == 202
    succeeds("startUkmExport", "member")
    for export_id in (1, 2):
        assert succeeds("getExport", "bendahara", id=export_id).status_code == 202
        work_on(app, export_id, writing.write)
        assert succeeds("getExport", "bendahara", id=export_id).status_code == 200
    assert succeeds("getUkmExport", "member", id=3).status_code == 202
    work_on(app, 3, writing.write)
    assert succeeds("getUkmExport", "member", id=3).status_code == 200
    assert succeeds("listExports", "bendahara").json["files"]
    assert succeeds("listUkmExports", "member").json["files"]
    succeeds("deleteExport", "bendahara", id=1)
    succeeds("deleteUkmExport", "member", id=3)


def test_failed_jobs_and_metrics(succeeds: Succeeds, valkey: redis.Redis) -> None:
    [job_id] = fail(valkey, "KeyError: 1")
    body = {"action": "discard", "queue": "default", "job_id": job_id}
    succeeds("actOnFailedJobs", "admin", body)
    succeeds("getMetrics", "nobody")
