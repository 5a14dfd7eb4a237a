"""Sends mail through the server of `SMTP_URL`.

`smtps://` is TLS from the start. `smtp://` uses STARTTLS if the server offers it; without TLS the
password is sent only to a server on this machine.
"""

import ipaddress
import smtplib
import socket
import ssl
from email.message import EmailMessage
from typing import cast
from urllib.parse import SplitResult, unquote, urlsplit

TIMEOUT_SECONDS = 10.0


class NoTls(smtplib.SMTPException):
    """The server offers no TLS, so the password would be sent in clear text."""


def send(url: str, mail: EmailMessage) -> None:
    """Send a mail through the server at `url`, a value of `SMTP_URL`.

    Raises `NoTls`, `smtplib.SMTPException`, or `OSError` (also for an untrusted certificate).
    """
    server = urlsplit(url)
    with _connect(server) as connection:
        if server.username:
            connection.login(unquote(server.username), unquote(server.password or ""))
        connection.send_message(mail)


def _connect(server: SplitResult) -> smtplib.SMTP:
    host, port = server.hostname or "", server.port or 0
    if server.scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=_strict())
    connection = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        _secure(connection, has_password=bool(server.username))
    except BaseException:
        connection.close()
        raise
    return connection


def _secure(connection: smtplib.SMTP, *, has_password: bool) -> None:
    """Start TLS if the server offers it. A server on this machine may have any certificate.

    Raises `NoTls` if it offers no TLS and a password would be sent to another machine.
    """
    local = _is_local(connection)
    connection.ehlo_or_helo_if_needed()
    if connection.has_extn("starttls"):
        connection.starttls(context=_trusting() if local else _strict())
    elif has_password and not local:
        raise NoTls


def _is_local(connection: smtplib.SMTP) -> bool:
    peer = cast(socket.socket, connection.sock).getpeername()[0]
    return ipaddress.ip_address(peer).is_loopback


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _strict() -> ssl.SSLContext:
    """Return a context that verifies against the system's CAs (or `SSL_CERT_FILE`)."""
    return ssl.create_default_context()
