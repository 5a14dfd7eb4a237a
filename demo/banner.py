"""The demo's messages on the terminal."""

from pathlib import Path

from demo.environment import VALKEY_PORT, Addresses
from devtools.messages import echo, localized
from devtools.sample import ACCOUNTS
from myukm.catalogue import N_
from myukm.settings.sources import file_settings

SHOWN_ACCOUNTS = 5


def welcome(addresses: Addresses) -> None:
    """Print the address, the log-ins, and how to run commands in another terminal."""
    echo("\n" + localized(N_("MyUKM siap: %(url)s"), url=addresses.web_url) + "\n")
    _logins()
    if addresses.valkey != VALKEY_PORT:
        line = f"export REDIS_URL={addresses.redis_url}"
        text = N_("Port %(port)d terpakai. Untuk rq biasa di terminal lain:")
        echo(f"{localized(text, port=VALKEY_PORT)}\n  {line}\n")
    _other_settings(addresses)
    echo(N_("Log tiap proses ada di instance/log/. Ctrl-C menghentikan semuanya."))


def not_ready(logs: Path) -> None:
    """Print that the web server does not answer, and which log has the cause."""
    text = N_("Server web belum siap; sebabnya ada di %(logs)s. Ctrl-C menghentikan semuanya.")
    echo(text, logs=logs)


def _logins() -> None:
    titles = (N_("peran"), "NIM", N_("kata sandi"), N_("nama"))
    head = tuple(localized(title) for title in titles)
    rows = [(a.role, a.nim, a.password, a.name) for a in ACCOUNTS[:SHOWN_ACCOUNTS]]
    lines = ["  {:<12}{:<10}{:<18}{}".format(*row) for row in (head, *rows)]
    echo("\n".join(lines) + "\n")


def _other_settings(addresses: Addresses) -> None:
    """Warn about a `.env`: it overrides `demo.env`, so other commands would not use the demo."""
    in_file = file_settings()
    own = [name for name in addresses.settings() if in_file.get(name)]
    if own:
        text = N_(
            "Perhatian: .env menetapkan %(names)s; perintah di terminal lain tidak memakai demo."
        )
        echo(localized(text, names=", ".join(own)) + "\n")
