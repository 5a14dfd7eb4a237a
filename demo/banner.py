"""The demo's messages on the terminal."""

from pathlib import Path

from dotenv import dotenv_values

from config import ROOT
from demo.environment import VALKEY_PORT, Addresses
from devtools.messages import echo, localized
from devtools.sample import ACCOUNTS

SHOWN_ACCOUNTS = 5


def welcome(addresses: Addresses) -> None:
    """Print the address, the log-ins, and how to run commands in another terminal."""
    echo(f"\nMyUKM siap: {addresses.web_url}\n", f"\nMyUKM is ready: {addresses.web_url}\n")
    _logins()
    if addresses.valkey != VALKEY_PORT:
        line = f"export REDIS_URL={addresses.redis_url}"
        echo(
            f"Port {VALKEY_PORT} terpakai. Untuk rq biasa di terminal lain:\n  {line}\n",
            f"Port {VALKEY_PORT} is taken. For plain rq in another terminal:\n  {line}\n",
        )
    _other_settings(addresses)
    echo(
        "Log tiap proses ada di instance/log/. Ctrl-C menghentikan semuanya.",
        "Each process logs to instance/log/. Ctrl-C stops everything.",
    )


def not_ready(logs: Path) -> None:
    """Print that the web server does not answer, and which log has the cause."""
    echo(
        f"Server web belum siap; sebabnya ada di {logs}. Ctrl-C menghentikan semuanya.",
        f"The web server is not ready; {logs} says why. Ctrl-C stops everything.",
    )


def _logins() -> None:
    head = (
        localized("peran", "role"),
        "NIM",
        localized("kata sandi", "password"),
        localized("nama", "name"),
    )
    rows = [(a.role, a.nim, a.password, a.name) for a in ACCOUNTS[:SHOWN_ACCOUNTS]]
    lines = ["  {:<12}{:<10}{:<18}{}".format(*row) for row in (head, *rows)]
    text = "\n".join(lines) + "\n"
    echo(text, text)


def _other_settings(addresses: Addresses) -> None:
    """Warn about a `.env`: it overrides `demo.env`, so other commands would not use the demo."""
    own = [name for name in addresses.settings() if dotenv_values(ROOT / ".env").get(name)]
    if own:
        names = ", ".join(own)
        echo(
            f"Perhatian: .env menetapkan {names}; perintah di terminal lain tidak memakai demo.\n",
            f"Note: .env sets {names}; commands in other terminals do not use the demo.\n",
        )
