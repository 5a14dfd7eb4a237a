"""Liveness, readiness and metrics, for monitoring systems."""

import hmac
import ipaddress
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask_babel import gettext as _
from prometheus_client import CONTENT_TYPE_LATEST

from myukm.db import troubles
from myukm.errors import Forbidden
from myukm.ops import metrics, readiness
from myukm.web.http.access import json_view

FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")
# While writes fail, each process tries to write at least every 5 s, because it renews or wants the
# leader's lease. So an error that lasts has occurred again within this time.
TROUBLED_SECONDS = 10.0

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@json_view
def alive() -> Any:
    """Liveness: 200 while the process serves requests."""
    return jsonify({"status": "ok"})


@bp.get("/readyz")
@json_view
def ready() -> Any:
    """Readiness, for a load balancer: 503 while this process closes, and without a database that
    can be written.

    Without Valkey 200 with `degraded`, because all but presence and typing works without it.
    """
    if current_app.extensions["live_hub"].closing:
        return unready("closing", _("Proses web ini sedang berhenti."))
    answers = readiness.check()
    if not answers.database:
        return unready("database_unreachable", _("Basis data tidak menjawab."))
    for kind in current_app.extensions["database_troubles"].recent(TROUBLED_SECONDS):
        reason = _("Basis data tidak bisa ditulisi.")
        if kind == troubles.CONNECTIONS:
            reason = _("Basis data menolak sambungan baru.")
        return unready(f"database_{kind}", reason)
    if not answers.valkey:
        reason = {"reason": _("Valkey tidak menjawab."), "reason_code": "valkey_unreachable"}
        return jsonify({"status": "degraded", **reason})
    return jsonify({"status": "ok"})


def unready(code: str, reason: str) -> Any:
    """Return 503 with the reason, also as the `error` object that all failed calls return."""
    error = {"code": code, "message": reason}
    body = {"status": "unready", "reason": reason, "reason_code": code, "error": error}
    return jsonify(body), 503


@bp.get("/metrics")
@json_view
def show_metrics() -> Response:
    """Return the metrics. Requires `METRICS_TOKEN` as bearer token, or a direct call from
    loopback; raises `Forbidden` otherwise."""
    if not (carries_token() or calls_directly()):
        raise Forbidden(_("Metrik hanya untuk pemantau."))
    return Response(metrics.text(), content_type=CONTENT_TYPE_LATEST)


def carries_token() -> bool:
    """Return whether the request has the right bearer token."""
    token = current_app.config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "")
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def calls_directly() -> bool:
    """Return whether the caller is on loopback and not behind a proxy on this machine."""
    before_proxies = request.environ.get("werkzeug.proxy_fix.orig", request.environ)
    try:
        caller = ipaddress.ip_address(before_proxies.get("REMOTE_ADDR") or "")
    except ValueError:
        return False
    return caller.is_loopback and not any(name in request.headers for name in FORWARDED)
