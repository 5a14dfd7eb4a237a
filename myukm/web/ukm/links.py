"""A UKM's join link, for its managers: create, extend and revoke it; its QR code, a poster."""

import io
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, jsonify, render_template, request
from flask_babel import gettext as _

from myukm.db.types import to_iso8601
from myukm.domain.ukm import authorization, links
from myukm.errors import NotFound
from myukm.models import Ukm
from myukm.web.http.access import json_view
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.ukm.access import base_url, current_actor, member_or_admin, page_context

bp = Blueprint("ukm_links", __name__)
# The white margin that QR readers need, in modules, and the pixels of a module in the PNG.
QUIET_ZONE, PNG_SCALE = 4, 20


class LinkDuration(msgspec.Struct):
    """For how many days, from now, the link is valid."""

    days: int


def address(ukm: Ukm) -> str | None:
    """Return the absolute URL of the UKM's join link, None without a valid link."""
    site = current_app.config["PUBLIC_URL"] or request.host_url.rstrip("/")
    return f"{site}/gabung/{ukm.link_token}" if ukm.has_link else None


def as_json(ukm: Ukm) -> dict[str, str | None]:
    """Return the link as JSON; both fields are null without a valid link."""
    until = to_iso8601(ukm.link_until) if ukm.has_link else None
    return {"url": address(ukm), "until": until}


@bp.get("/link")
@json_view
@member_or_admin
def show(code: str) -> Any:
    """Return the link."""
    return jsonify(as_json(authorization.authorize_manager(current_actor(), code)))


@bp.post("/link")
@member_or_admin
@takes(LinkDuration)
def create_or_extend(code: str, sent: LinkDuration) -> Any:
    """Create a link, or extend the valid one."""
    ukm = links.create_or_extend(current_actor(), code, sent.days)
    page = f"{base_url(code)}/manage#link"
    return redirect_or_json(page, as_json(ukm), notice=_("Tautan gabung berlaku."))


@bp.post("/link/revoke")
@member_or_admin
def revoke(code: str) -> Any:
    """Revoke the link."""
    ukm = links.revoke(current_actor(), code)
    page = f"{base_url(code)}/manage#link"
    return redirect_or_json(page, as_json(ukm), notice=_("Tautan gabung dicabut."))


@bp.get("/link.svg")
@member_or_admin
def svg(code: str) -> Response:
    """Return the QR code as SVG."""
    return Response(_qr_code(code, kind="svg", omitsize=True), mimetype="image/svg+xml")


@bp.get("/link.png")
@member_or_admin
def png(code: str) -> Response:
    """Return the QR code as PNG, for chats and slides."""
    return Response(_qr_code(code, kind="png", scale=PNG_SCALE), mimetype="image/png")


def _qr_code(code: str, **options: Any) -> bytes:
    ukm = authorization.authorize_manager(current_actor(), code)
    if not (link := address(ukm)):
        raise NotFound(_("UKM ini belum punya tautan gabung."), code="no_link")
    import segno

    out = io.BytesIO()
    qr = segno.make(link, error="m", micro=False)
    qr.save(out, border=QUIET_ZONE, dark="#000", light="#fff", **options)
    return out.getvalue()


@bp.get("/poster")
@member_or_admin
def poster(code: str) -> str:
    """Show a sheet of A4 to print and hang up."""
    ukm = authorization.authorize_manager(current_actor(), code)
    shown = page_context(ukm, is_manager=True)
    return render_template("ukm/poster.html", link=address(ukm), **shown)
