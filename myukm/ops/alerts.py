"""Alerts: a finding that lasts is delivered once, and once more when it is resolved.

Receivers: open pages of admins and operators, `ALERT_WEBHOOK_URL`, `ALERT_EMAIL_TO`.
"""

import logging
import smtplib
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import current_app
from sqlalchemy import select

from myukm.db.session import transaction
from myukm.db.types import to_iso8601, utcnow
from myukm.domain.standstill import SeenTwice
from myukm.extensions import db
from myukm.live import event_log
from myukm.logs.redaction import shown
from myukm.models import Alert
from myukm.ops import doctor, mail

POLL_SECONDS = 3.0
DELIVERY_SECONDS = 10.0
TRIES = 3

logger = logging.getLogger(__name__)


class AlertMonitor:
    """Opens and resolves alerts. A finding counts only when two evaluations in a row have it, so
    that a single slow poll alerts nobody."""

    def __init__(self) -> None:
        self._next = 0.0
        self._new, self._gone = SeenTwice[str](), SeenTwice[str]()

    def evaluate(self) -> None:
        """Open alerts for lasting findings and resolve those whose finding is gone."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + POLL_SECONDS
        # Of several findings with one code keep the first: the doctor sorts by severity.
        found = {finding["code"]: finding for finding in reversed(doctor.report()["findings"])}
        still_open = select(Alert.open).where(Alert.open.is_not(None))
        known = {code for code in db.session.scalars(still_open) if code}
        lasting = [found[code] for code in self._new.of(found.keys() - known)]
        over = sorted(self._gone.of(known - found.keys()))
        if lasting or over:
            deliver([*opened(lasting), *resolved(over)])


def opened(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Insert alerts with their events and return them as JSON; already open codes are skipped."""
    with transaction() as session:
        alerts = [
            Alert(
                open=finding["code"],
                code=finding["code"],
                level=finding["level"],
                message=finding["message"],
                since=since_of(finding),
            )
            for finding in findings
        ]
        session.add_all(alerts)
        return _append(alerts)


def since_of(finding: Mapping[str, Any]) -> datetime:
    """Return the start of a finding, or now if the doctor does not know it."""
    return datetime.fromisoformat(finding["since"]) if finding["since"] else utcnow()


def resolved(codes: Sequence[str]) -> list[dict[str, Any]]:
    """Mark the alerts with these codes resolved, append the events, and return them as JSON."""
    with transaction() as session:
        alerts = session.scalars(select(Alert).where(Alert.open.in_(codes))).all()
        for alert in alerts:
            alert.open, alert.resolved_at = None, utcnow()
        return _append(alerts)


def _append(alerts: Sequence[Alert]) -> list[dict[str, Any]]:
    events_data = [as_json(alert) for alert in alerts]
    for alert in events_data:
        event_log.append("alert", "alert", alert)
    return events_data


def as_json(alert: Alert) -> dict[str, Any]:
    """Return an alert as the event and the webhook body carry it."""
    return {
        "level": alert.level,
        "code": alert.code,
        "message": alert.message,
        "since": to_iso8601(alert.since),
        "resolved": alert.resolved_at is not None,
    }


def deliver(alerts: Sequence[dict[str, Any]]) -> None:
    """Deliver alerts in a thread, because a receiver may take seconds to answer."""
    arguments = (dict(current_app.config), alerts)
    threading.Thread(target=_deliver, args=arguments, name="alerts", daemon=True).start()


def _deliver(settings: Mapping[str, Any], alerts: Sequence[dict[str, Any]]) -> None:
    for alert in alerts:
        if url := settings["ALERT_WEBHOOK_URL"]:
            _try("the web hook", lambda url=url, alert=alert: _post(url, alert))
        if settings["ALERT_EMAIL_TO"] and settings["SMTP_URL"]:
            _try("the mail server", lambda alert=alert: _mail(settings, alert))


def _try(receiver: str, send: Any) -> None:
    for attempt in range(1, TRIES + 1):
        try:
            send()
        except (requests.RequestException, smtplib.SMTPException, OSError) as error:
            # Log the type only: the error's text may contain the webhook's secret URL.
            why = error if isinstance(error, mail.NoTls) else type(error).__name__
            logger.warning("could not deliver an alert to %s: %s", receiver, why)
            time.sleep(attempt)
        else:
            return


def _post(url: str, alert: Mapping[str, Any]) -> None:
    answer = requests.post(url, json=alert, timeout=DELIVERY_SECONDS, allow_redirects=False)
    answer.raise_for_status()


def _mail(settings: Mapping[str, Any], alert: Mapping[str, Any]) -> None:
    letter = EmailMessage()
    letter["Subject"] = f"MyUKM: {'✓' if alert['resolved'] else '!'} {alert['code']}"
    letter["From"] = f"myukm@{urlsplit(settings['SMTP_URL']).hostname}"
    letter["To"] = settings["ALERT_EMAIL_TO"]
    letter.set_content(f"{alert['message']}\n\n{alert['since']}\n{_public(settings)}")
    mail.send(settings["SMTP_URL"], letter)


def _public(settings: Mapping[str, Any]) -> str:
    return shown(url) if (url := settings["PUBLIC_URL"]) else ""
