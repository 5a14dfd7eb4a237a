"""Which messages of a UKM send push notifications to a member."""

from typing import Any

import msgspec
from flask import Blueprint

from myukm.domain.ukm import memberships, notification_settings
from myukm.web.http.access import current_account, json_view
from myukm.web.http.body import takes
from myukm.web.http.request_parsing import limit_body
from myukm.web.ukm.access import member

bp = Blueprint("ukm_push", __name__, url_prefix="/ukm/<code>")
bp.before_request(limit_body)


class PushLevel(msgspec.Struct):
    """Whether every message sends a push notification, or only mentions and replies do."""

    every: bool


@bp.put("/push")
@json_view
@member
@takes(PushLevel)
def choose(code: str, sent: PushLevel) -> Any:
    """Store the choice."""
    mine = memberships.get_membership(current_account().id, code)
    notification_settings.set_push_all(mine, sent.every)
    return "", 204
