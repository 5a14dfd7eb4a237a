"""Liveness, readiness and metrics, for monitoring systems."""

import hmac
import ipaddress
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from flask_babel import gettext as _
from prometheus_client import CONTENT_TYPE_LATEST

from myukm.errors import Forbidden
from myukm.ops import doctor, metrics
from myukm.web.http.access import json_view

FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@json_view
def alive() -> Any:
    """Liveness: 200 while the process serves requests."""
    return jsonify({"status": "ok"})


@bp.get("/readyz")
@json_view
def ready() -> Any:
    """Readiness: 200 if database and Valkey answer, else 503 with the findings."""
    sentences = {
        "database_unreachable": _("Basis data tidak menjawab."),
        "valkey_unreachable": _("Valkey tidak menjawab."),
    }
    reasons = [
        {"code": code, "message": sentences[code]}
        for code in (finding.code for finding in doctor.not_ready())
    ]
    if not reasons:
        return jsonify({"status": "ready"})
    return jsonify({"status": "unready", "error": reasons[0], "reasons": reasons}), 503


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
