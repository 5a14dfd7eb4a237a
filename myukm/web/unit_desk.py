"""A UKM in its officers' hands: name, join code, announcement, who is blocked, its log."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, jsonify, render_template

from myukm.database import iso
from myukm.domain.chat import moderation, pins, ukm_care, ukm_desk, ukm_log, ukm_state
from myukm.errors import Conflict, DomainError, Invalid
from myukm.models import Ukm, UkmLog
from myukm.web.access import wants_json
from myukm.web.arguments import json_object, text_field, whole_number
from myukm.web.log_words import sentence
from myukm.web.unit_access import base, done, frame, numbers, officer, readers

bp = Blueprint("unit_desk", __name__)


@bp.get("/manage")
@readers
def index(code: str) -> Any:
    """Show the forms."""
    return desk(code)


def desk(code: str, **more: Any) -> str:
    """Return the page; `more` is what was typed and why it was refused."""
    unit = ukm_desk.visit(officer(), code)
    return render_template(
        "ukm/manage.html",
        pin=ukm_state.pin(unit.id),
        blocked=moderation.blocked(unit.id),
        code_line=ukm_log.newest(unit.id, "code_renewed", "code_replaced"),
        sentence=sentence,
        **frame(unit, is_officer=True),
        **{"problems": {}, "typed": {}, **more},
    )


@bp.post("/edit")
@readers
def edit(code: str) -> Any:
    """Change name and description."""
    typed = {name: text_field(name) for name in ("name", "description")}
    return attempt(code, "edit", typed, lambda: ukm_care.edit(officer(), code, **typed))


@bp.post("/pin")
@readers
def pin(code: str) -> Any:
    """Pin a text, or a message by its id."""
    wish = json_object()
    if "message_id" in wish:
        unit = pins.pin_message(officer(), code, wish["message_id"])
        return done(f"{base(code)}/manage", ukm_state.describe(unit))
    typed = {"text": text_field("text")}
    return attempt(code, "pin", typed, lambda: pins.pin_text(officer(), code, wish.get("text")))


def attempt(code: str, form: str, typed: dict[str, str], change: Callable[[], Ukm]) -> Any:
    """Make a change; a refused form is shown again with what was typed."""
    try:
        unit = change()
    except (Invalid, Conflict) as error:
        return refused(code, form, typed, error)
    return done(f"{base(code)}/manage", ukm_state.describe(unit))


def refused(code: str, form: str, typed: dict[str, str], error: DomainError) -> Any:
    """Show the page again; a script gets the error itself."""
    if wants_json():
        raise error
    return desk(code, problems={form: str(error)}, typed=typed), error.status


@bp.post("/unpin")
@readers
def unpin(code: str) -> Any:
    """Take down what is pinned."""
    return done(f"{base(code)}/manage", ukm_state.describe(pins.unpin(officer(), code)))


@bp.post("/join-code")
@readers
def join_code(code: str) -> Any:
    """Renew the join code."""
    unit = ukm_care.renew_join_code(officer(), code)
    return done(f"{base(code)}/manage", {"code": unit.code, "join_code": unit.join_code})


@bp.get("/log")
@readers
def log(code: str) -> Any:
    """Show a page of what was done in the UKM, the newest first."""
    unit = ukm_desk.visit(officer(), code)
    page = ukm_log.page(unit.id, whole_number("page") or 1)
    if wants_json():
        lines = [line_json(line) for line in page.items]
        return jsonify({**numbers(page), "log": lines})
    shown = frame(unit, is_officer=True)
    return render_template("ukm/log.html", page=page, sentence=sentence, **shown)


def line_json(line: UkmLog) -> dict[str, Any]:
    """Return a line of the log for scripts."""
    return {
        "at": iso(line.at),
        "actor_id": line.actor_id,
        "actor": line.actor.name if line.actor else None,
        "action": line.action,
        "person_id": line.person_id,
        "person": line.person.name if line.person else None,
        "detail": line.detail,
    }
