"""A small SMTP server (RFC 5321, 3207, 4954), with or without TLS, that records what it gets."""

import socketserver
import ssl
import threading
from pathlib import Path
from typing import Self

CERTIFICATE = Path(__file__).with_name("self_signed.pem")


class Handler(socketserver.BaseRequestHandler):
    """One connection. It appends its commands to `server.seen`, each after `tls` or `clear`."""

    server: "MailServer"

    def handle(self) -> None:
        self.encrypted = self.server.tls == "smtps"
        try:
            if self.encrypted:
                self.wrap()
            self.talk()
        except OSError:  # the client does not trust the certificate
            self.server.seen.append("broken off")
        finally:
            self.request.close()

    def wrap(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        self.request = context.wrap_socket(self.request, server_side=True)
        self.encrypted = True

    def talk(self) -> None:
        self.say("220 here")
        while line := self.line():
            verb = line.split()[0].upper() if line.split() else ""
            self.server.seen.append(f"{'tls' if self.encrypted else 'clear'} {verb}")
            if verb == "EHLO":
                self.say("250-here", "250-AUTH PLAIN", self.offer(), "250 8BITMIME")
            elif verb == "STARTTLS":
                self.say("220 go")
                self.wrap()
            elif verb == "AUTH":
                self.say("235 ok")
            elif verb == "DATA":
                self.say("354 go on")
                self.take("\n".join(iter(self.line, ".")))
            else:
                self.say("221 bye" if verb == "QUIT" else "250 ok")

    def take(self, mail: str) -> None:
        if self.server.refused and self.server.refused in mail:
            self.say("554 not this one")
        else:
            self.server.mails.append(mail)
            self.say("250 ok")

    def offer(self) -> str:
        wanted = self.server.tls == "starttls" and not self.encrypted
        return "250-STARTTLS" if wanted else "250-PIPELINING"

    def line(self) -> str:
        text = b""
        while not text.endswith(b"\r\n") and (byte := self.request.recv(1)):
            text += byte
        return text.decode().strip("\r\n")

    def say(self, *lines: str) -> None:
        self.request.sendall("".join(f"{line}\r\n" for line in lines).encode())


class MailServer(socketserver.ThreadingTCPServer):
    """`tls` is "", "starttls" or "smtps"; `mails` are the received texts. Mails that contain
    `refused` are refused for good."""

    daemon_threads = True

    def __init__(self, tls: str = "") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.tls, self.seen, self.mails = tls, list[str](), list[str]()
        self.refused = ""
        scheme = "smtps" if tls == "smtps" else "smtp"
        self.url = f"{scheme}://pengguna:rahasia%40x@127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
