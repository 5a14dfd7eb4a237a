"""Settings of a UKM: name, join code, announcement, blocked people, activity log."""

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template
from flask_babel import gettext as _

from myukm.db.types import to_iso8601
from myukm.domain import activity
from myukm.domain.chat import pins
from myukm.domain.files import quotas
from myukm.domain.ukm import authorization, directory, moderation
from myukm.domain.ukm import settings as ukm_settings
from myukm.domain.ukm import state as ukm_state
from myukm.domain.ukm.links import DAYS
from myukm.errors import Conflict, DomainError, Invalid, NotFound
from myukm.models import Activity, Ukm
from myukm.web.http.access import wants_json
from myukm.web.http.answers import page_numbers, redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.request_parsing import whole_number
from myukm.web.ukm import links
from myukm.web.ukm.access import (
    base_url,
    current_actor,
    for_campus,
    member_or_admin,
    page_context,
)
from myukm.web.ukm.activity_labels import sentence

bp = Blueprint("ukm_settings", __name__)


class Description(msgspec.Struct):
    """A UKM's name and description."""

    name: str
    description: str


class Pin(msgspec.Struct):
    """What to pin: a message, or a text."""

    message_id: int | None = None
    text: str = ""


class Listing(msgspec.Struct):
    """Whether a UKM is in the directory, and its introduction there."""

    intro: str
    listed: bool = False


@bp.get("/manage")
@member_or_admin
def index(code: str) -> Any:
    """Show the forms."""
    return render_settings(code)


def render_settings(code: str, **more: Any) -> str:
    """Render the page; `more` holds the typed values and the error of a refused form."""
    ukm = authorization.authorize_manager(current_actor(), code)
    return render_template(
        "ukm/manage.html",
        files=quotas.of_ukm(ukm.id),
        pin=ukm_state.pin(ukm.id),
        link=links.address(ukm),
        link_days=DAYS,
        blocked=moderation.blocked(ukm.id),
        code_line=activity.newest_in_ukm(ukm.id, "code_renewed", "code_replaced"),
        sentence=sentence,
        **page_context(ukm, is_manager=True),
        **{"problems": {}, "typed": {}, **more},
    )


@bp.post("/edit")
@member_or_admin
@takes(Description)
def edit(code: str, sent: Description) -> Any:
    """Change the name and the description."""
    typed = msgspec.structs.asdict(sent)
    return try_change(
        code, "edit", typed, lambda: ukm_settings.edit(current_actor(), code, **typed)
    )


@bp.post("/pin")
@member_or_admin
@takes(Pin)
def pin(code: str, sent: Pin) -> Any:
    """Pin a text, or a message by its id."""
    if sent.message_id is not None:
        if for_campus():
            # The response has the message's text, and campus admins may not read the chat.
            raise NotFound(_("Pesan ini tidak ada."), code="no_such_message")
        ukm = pins.pin_message(current_actor(), code, sent.message_id)
        notice = _("Pesan itu disematkan.")
        return redirect_or_json(f"{base_url(code)}/manage", ukm_state.describe(ukm), notice=notice)
    typed = {"text": sent.text}
    return try_change(code, "pin", typed, lambda: pins.pin_text(current_actor(), code, sent.text))


def try_change(code: str, form: str, typed: dict[str, str], change: Callable[[], Ukm]) -> Any:
    """Apply a change; a refused form is rendered again with the typed values."""
    try:
        ukm = change()
    except (Invalid, Conflict) as error:
        return render_refused(code, form, typed, error)
    return redirect_or_json(
        f"{base_url(code)}/manage", ukm_state.describe(ukm), notice=_("Tersimpan.")
    )


def render_refused(code: str, form: str, typed: dict[str, str], error: DomainError) -> Any:
    """Render the page with the error. Raises it again for JSON callers."""
    if wants_json():
        raise error
    return render_settings(code, problems={form: str(error)}, typed=typed), error.status


@bp.post("/unpin")
@member_or_admin
def unpin(code: str) -> Any:
    """Remove the pinned announcement."""
    ukm = pins.unpin(current_actor(), code)
    notice = _("Pengumuman dilepas.")
    return redirect_or_json(f"{base_url(code)}/manage", ukm_state.describe(ukm), notice=notice)


@bp.post("/join-code")
@member_or_admin
def join_code(code: str) -> Any:
    """Replace the join code."""
    ukm = ukm_settings.renew_join_code(current_actor(), code)
    notice = _("Kode gabung yang baru: %(code)s", code=ukm.join_code)
    answer = {"code": ukm.code, "join_code": ukm.join_code}
    return redirect_or_json(f"{base_url(code)}/manage", answer, notice=notice)


@bp.post("/listing")
@member_or_admin
@takes(Listing)
def listing(code: str, sent: Listing) -> Any:
    """List the UKM in the directory, or remove it from there."""
    typed = {"intro": sent.intro, "listed": "1" if sent.listed else ""}
    return try_change(
        code,
        "listing",
        typed,
        lambda: directory.describe(current_actor(), code, sent.intro, listed=sent.listed),
    )


@bp.get("/log")
@member_or_admin
def log(code: str) -> Any:
    """Show a page of the UKM's activity log, newest first."""
    ukm = authorization.authorize_manager(current_actor(), code)
    page = activity.ukm_page(ukm.id, whole_number("page") or 1)
    if wants_json():
        lines = [line_json(line) for line in page.items]
        return jsonify({**page_numbers(page), "log": lines})
    shown = page_context(ukm, is_manager=True)
    return render_template("ukm/log.html", page=page, sentence=sentence, **shown)


def line_json(line: Activity) -> dict[str, Any]:
    """Return an entry of the activity log as JSON."""
    return {
        "at": to_iso8601(line.at),
        "actor_id": line.actor_id,
        "actor": line.actor.name if line.actor else None,
        "action": line.verb,
        "person_id": line.person_id,
        "person": line.person.name if line.person else None,
        "detail": line.shown_detail,
    }
