"""Where alerts go besides the page: a webhook, e-mail, and Apprise's services."""

import re
import smtplib
from collections.abc import Callable, Mapping
from email.message import EmailMessage
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import current_app
from flask_babel import gettext as _

from myukm.ops import mail

TIMEOUT_SECONDS = 10.0
# With these a receiver refuses the message. The other statuses may mean a wrong address, a missing
# right or a busy server, so that the same message may be delivered later.
REFUSALS = frozenset({400, 413, 422})
# How Apprise's services log the status of an answer, which they do not return.
APPRISE_STATUS = re.compile(r"\berror=(\d{3})\b")
NO_CONNECTION = "onnection error"  # what they log if there was no answer
TOO_LARGE = 552  # the only refusal of a message that a mail server sends before it has read it

Message = Mapping[str, Any]
Send = Callable[[Message], None]


class NotDelivered(Exception):
    """A channel did not take a message; the text contains no address.

    `attempts` is the attempt at which the message is dropped, None if it is tried until it is
    delivered.
    """

    attempts: int | None = None


class Refused(NotDelivered):
    """The receiver refused this message and would refuse it again, but not other messages."""

    attempts = 10


class Unexplained(NotDelivered):
    """The channel gave no reason, so the message may be the reason. The attempts take about an
    hour, because the receiver may also be away."""

    attempts = 60


def configured() -> dict[str, Send]:
    """Return the send functions of the configured channels by the channels' names. The functions
    raise `NotDelivered` and need no app context."""
    settings = dict(current_app.config)
    channels: dict[str, Send] = {}
    if url := settings["ALERT_WEBHOOK_URL"]:
        channels["webhook"] = partial(_post, url)
    channels |= _mail_channels(settings)
    for number, address in enumerate(settings["ALERT_URLS"].split(), 1):
        send = partial(_notify, address, _("layanan itu tidak menerimanya"))
        channels[f"{address.partition('://')[0]}-{number}"] = send
    return channels


def _mail_channels(settings: Mapping[str, Any]) -> dict[str, Send]:
    """Return a channel for each recipient, because a server may refuse one of them, and the others
    must not get the message again at each retry."""
    if not settings["SMTP_URL"]:
        return {}
    no_tls = _("server tidak menawarkan STARTTLS, jadi kata sandi SMTP_URL tidak dikirim")
    found = [each.strip() for each in settings["ALERT_EMAIL_TO"].split(",") if each.strip()]
    names = ["email"] if len(found) == 1 else [f"email-{n}" for n in range(1, len(found) + 1)]
    return {
        name: partial(_mail, settings["SMTP_URL"], address, no_tls)
        for name, address in zip(names, found, strict=True)
    }


def title(message: Message) -> str:
    """Return the subject line."""
    sign = "✓" if message["resolved"] else "!"
    return f"MyUKM: {sign} {message['code']} ({message['host']})"


def body(message: Message) -> str:
    """Return what happened, the cure, since when, and where to look."""
    cure = "" if message["resolved"] else message["cure"]
    lines = (message["kind_text"], message["message"], cure, message["since"], message["url"])
    return "\n".join(filter(None, lines))


def _post(url: str, message: Message) -> None:
    try:
        response = requests.post(url, json=message, timeout=TIMEOUT_SECONDS, allow_redirects=False)
    except requests.RequestException as error:
        raise NotDelivered(type(error).__name__) from None
    if not 200 <= response.status_code < 300:  # a redirect has delivered nothing, either
        failure = Refused if response.status_code in REFUSALS else NotDelivered
        raise failure(f"HTTP {response.status_code}")


def _mail(server: str, address: str, no_tls: str, message: Message) -> None:
    try:
        mail.send(server, _letter(server, address, message))
    except mail.NoTls:
        raise NotDelivered(no_tls) from None
    # ValueError: an address or a password with characters that SMTP cannot send.
    except (smtplib.SMTPException, OSError, ValueError) as error:
        failure = Refused if _refuses_message(error) else NotDelivered
        raise failure(type(error).__name__) from None


def _refuses_message(error: Exception) -> bool:
    """Return whether a mail server refuses this mail for good, not its sender or recipient."""
    code = getattr(error, "smtp_code", 0)
    return code >= 500 if isinstance(error, smtplib.SMTPDataError) else code == TOO_LARGE


def _letter(server: str, address: str, message: Message) -> EmailMessage:
    letter = EmailMessage()
    letter["Subject"] = title(message)
    letter["From"] = f"myukm@{urlsplit(server).hostname}"
    letter["To"] = address
    letter.set_content(body(message))
    return letter


def _notify(address: str, refusal: str, message: Message) -> None:
    import apprise  # here, because the import takes a third of a second and few use Apprise

    service = apprise.Apprise()
    service.add(address)
    kind = apprise.NotifyType.SUCCESS if message["resolved"] else apprise.NotifyType.FAILURE
    try:
        with service.notify(body(message), title=title(message), notify_type=kind) as result:
            log = " ".join(entry.message for entry in result.logs())
    except Exception as error:  # noqa: BLE001 (the code of a hundred services)
        raise Unexplained(type(error).__name__) from None
    if not result:
        raise _cause(log)(refusal)


def _cause(log: str) -> type[NotDelivered]:
    """Return the kind of failure that the log of an Apprise service says."""
    statuses = {int(status) for status in APPRISE_STATUS.findall(log)}
    if statuses & REFUSALS:
        return Refused
    return NotDelivered if statuses or NO_CONNECTION in log else Unexplained
