"""A student's own bills, for the account that is linked to the student."""

from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template

from myukm.domain.siswa import bills, directory, links
from myukm.domain.sync import payment_history
from myukm.errors import DomainError, Forbidden
from myukm.rate_limiting.limiter import attempt
from myukm.rate_limiting.local_log import Limit, claim
from myukm.web.account.profile import render_error
from myukm.web.http.access import current_account, logged_in, wants_json
from myukm.web.http.answers import page_numbers, redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.limits import caller_address, limit_short_body
from myukm.web.http.request_parsing import whole_number

WRONG_CODES = Limit("student-code", 10, 3600)
WRONG_CODES_OF_ADDRESS = Limit("student-code-address", 100, 3600)

bp = Blueprint("my_bills", __name__, url_prefix="/saya")
bp.before_request(limit_short_body)


class LinkCode(msgspec.Struct):
    """The one-time code from the treasurer."""

    code: str


@bp.get("/tagihan")
@logged_in
def show() -> Any:
    """Show the bills of the student to whom the account is linked; 404 without a link."""
    student = links.student_of(current_account().id)
    page = payment_history.of_student(student.idperson, whole_number("page") or 1)
    if wants_json():
        changes = [payment_history.own_as_json(change) for change in page.items]
        own = {"pembayaran": student.pembayaran, "changes": changes}
        return jsonify(directory.as_json(student) | own | page_numbers(page))
    return render_template(
        "saya/tagihan.html", siswa=student, bills=bills.of(student), history=page
    )


@bp.post("/hubungkan")
@logged_in
@takes(LinkCode)
def link(sent: LinkCode) -> Any:
    """Link the account to a student by a code. The number of wrong codes is limited."""
    claims = (
        claim(WRONG_CODES, str(current_account().id)),
        claim(WRONG_CODES_OF_ADDRESS, caller_address()),
    )
    try:
        with attempt(*claims, wrong=Forbidden):
            student = links.redeem(current_account(), sent.code)
    except DomainError as error:
        return render_error("link", error)
    return redirect_or_json("/saya/tagihan", {"idperson": student.idperson, "nama": student.nama})
