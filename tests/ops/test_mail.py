"""A mail server gets the password under TLS or on this machine only."""

import ssl
from email.message import EmailMessage

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner

from myukm.ops import mail
from tests.support.mail_server import CERTIFICATE, MailServer


def letter() -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = "Uji", "a@kampus.example", "b@kampus.example"
    made.set_content("Halo")
    return made


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the mail server on this machine count as one of another machine."""
    monkeypatch.setattr(mail, "_is_local", lambda _connection: False)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's certificate is trusted by `SSL_CERT_FILE`, as docs/operations.md describes."""
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


@pytest.mark.usefixtures("far_away", "known")
@pytest.mark.parametrize("tls", ["starttls", "smtps"])
def test_the_password_goes_under_tls(tls: str) -> None:
    with MailServer(tls) as server:
        mail.send(server.url, letter())
    assert "tls AUTH" in server.seen
    assert "clear AUTH" not in server.seen
    assert "Halo" in server.mails[0]


@pytest.mark.usefixtures("far_away")
def test_no_password_goes_in_clear_to_another_machine() -> None:
    with MailServer() as server, pytest.raises(mail.NoTls) as caught:
        mail.send(server.url, letter())
    assert "AUTH" not in " ".join(server.seen)
    assert server.mails == []
    assert "rahasia" not in str(caught.value)


@pytest.mark.usefixtures("far_away")
def test_a_mail_without_a_password_may_go_in_clear() -> None:
    with MailServer() as server:
        mail.send(server.url.replace("pengguna:rahasia%40x@", ""), letter())
    assert len(server.mails) == 1


@pytest.mark.usefixtures("far_away")
@pytest.mark.parametrize("tls", ["starttls", "smtps"])
def test_a_certificate_that_nobody_signed_gets_no_password(tls: str) -> None:
    with MailServer(tls) as server, pytest.raises(ssl.SSLCertVerificationError):
        mail.send(server.url, letter())
    assert "AUTH" not in " ".join(server.seen)
    assert server.mails == []


@pytest.mark.parametrize(("tls", "how"), [("", "clear AUTH"), ("starttls", "tls AUTH")])
def test_this_machine_needs_no_certificate(tls: str, how: str) -> None:
    with MailServer(tls) as server:
        mail.send(server.url, letter())
    assert how in server.seen
    assert len(server.mails) == 1


def test_each_recipient_is_a_channel(app: Flask) -> None:
    """A server may refuse one of them; the others must not get the message again."""
    with MailServer() as server:
        app.config["ALERT_EMAIL_TO"] = "satu@kampus.example, dua@kampus.example"
        app.config["SMTP_URL"] = server.url
        done = FlaskCliRunner(app).invoke(args=("alert", "test"))
    assert done.output.splitlines() == ["email-1: terkirim", "email-2: terkirim"]
    assert ["To: satu@" in each for each in server.mails] == [True, False]


@pytest.mark.usefixtures("far_away")
def test_a_missing_starttls_is_reported_in_the_campus_language(app: Flask) -> None:
    with MailServer() as server:
        app.config["ALERT_EMAIL_TO"] = "operator@kampus.example"
        app.config["SMTP_URL"] = server.url
        done = FlaskCliRunner(app).invoke(args=("alert", "test"))
    assert done.output.startswith("email: gagal, server tidak menawarkan STARTTLS")


def test_a_password_that_smtp_cannot_encode_fails_the_channel(app: Flask) -> None:
    with MailServer() as server:
        app.config["ALERT_EMAIL_TO"] = "operator@kampus.example"
        app.config["SMTP_URL"] = server.url.replace("rahasia", "rahasi%C3%A9")
        done = FlaskCliRunner(app).invoke(args=("alert", "test"))
    assert (done.exit_code, done.output) == (1, "email: gagal, UnicodeEncodeError\n")


def test_the_certificate_of_smtps_is_checked_on_this_machine_as_well() -> None:
    with MailServer("smtps") as server, pytest.raises(ssl.SSLCertVerificationError):
        mail.send(server.url, letter())
