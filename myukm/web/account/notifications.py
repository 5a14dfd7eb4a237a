"""Push notifications: the page of preferences, and the subscription of a browser."""

from typing import Any

import msgspec
from flask import Blueprint, jsonify, render_template, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_login import current_user

from myukm.domain.push import preferences, subscriptions, test_notification
from myukm.domain.push.keys import server_key
from myukm.domain.ukm import notification_settings
from myukm.errors import DomainError
from myukm.rate_limiting.local_log import Limit
from myukm.web.http.access import current_account, json_view, logged_in, wants_json
from myukm.web.http.answers import redirect_or_json
from myukm.web.http.body import takes
from myukm.web.http.limits import limit_short_body, limited

bp = Blueprint("notifications", __name__)
bp.before_request(limit_short_body)
TESTS = Limit("push-test", 5, 60)


class Choices(msgspec.Struct):
    """Which notifications a person wants. The defaults are False, because forms do not send
    checkboxes that are not ticked."""

    show_text: bool = False
    announcements: bool = False
    staff: bool = False
    quiet_from: str = ""
    quiet_until: str = ""


class BrowserSubscription(msgspec.Struct):
    """A browser's push subscription; `p256dh` and `auth` are its keys (RFC 8291)."""

    endpoint: str
    p256dh: str
    auth: str


@bp.get("/profile/notifications")
@logged_in
def index() -> Any:
    """Show the notification preferences of the person, and whether this browser is subscribed."""
    me = current_account()
    if not wants_json():
        return page()
    subscribed = subscriptions.find(current_user.token_hash) is not None
    chosen = msgspec.structs.asdict(stored(me.id))
    return jsonify({"subscribed": subscribed, "public_key": server_key().public, **chosen})


def page(problem: str | None = None, typed: Choices | None = None) -> str:
    """Render the page. `typed` are refused choices, shown again with the `problem`."""
    me = current_account()
    return render_template(
        "profile/notifications.html",
        key=server_key().public,
        subscribed=subscriptions.find(current_user.token_hash) is not None,
        chosen=typed or stored(me.id),
        memberships=notification_settings.of(me.id),
        problem=problem,
    )


def stored(user_id: int) -> Choices:
    """Return the stored choices in the form of the page's fields."""
    chosen = preferences.of(user_id)
    quiet = (preferences.as_time(each) for each in (chosen.quiet_from, chosen.quiet_until))
    return Choices(chosen.show_text, chosen.announcements, chosen.staff, *quiet)


@bp.post("/profile/notifications")
@logged_in
@takes(Choices)
def change(sent: Choices) -> Any:
    """Store the choices for all devices."""
    try:
        preferences.change(current_account().id, **msgspec.structs.asdict(sent))
    except DomainError as error:
        if wants_json():
            raise
        return page(str(error), sent), error.status
    return redirect_or_json(url_for("notifications.index"), {}, notice=_("Tersimpan."))


@bp.put("/push/subscription")
@json_view
@logged_in
@takes(BrowserSubscription)
def subscribe(sent: BrowserSubscription) -> Any:
    """Store this browser's subscription; it ends with the log-in."""
    values = msgspec.structs.asdict(sent)
    subscriptions.subscribe(current_user.token_hash, **values, lang=str(get_locale()))
    return "", 204


@bp.patch("/push/subscription")
@json_view
@logged_in
@takes(BrowserSubscription)
def renew_subscription(sent: BrowserSubscription) -> Any:
    """Store the subscription that this browser has renewed by itself, if this log-in has one."""
    values = msgspec.structs.asdict(sent)
    subscriptions.renew(current_user.token_hash, **values, lang=str(get_locale()))
    return "", 204


@bp.delete("/push/subscription")
@json_view
@logged_in
def unsubscribe() -> Any:
    """Stop notifying this browser."""
    subscriptions.unsubscribe(current_user.token_hash)
    return "", 204


@bp.post("/push/test")
@json_view
@logged_in
@limited(TESTS)
def test() -> Any:
    """Send a test notification to this browser."""
    test_notification.send(current_user.token_hash)
    return "", 204
