"""Ports of the demo's processes, and the settings that connect them."""

from dataclasses import dataclass

from devtools.ports import HOST, any_free, first_free
from myukm.settings.sources import INSTANCE

VALKEY_PORT = 6379
# Settings of `.env` that a demo ignores, because they reach other machines or assume a proxy.
LEFT_OUT = (
    "ALERT_EMAIL_TO",
    "ALERT_URLS",
    "ALERT_WEBHOOK_URL",
    "HEARTBEAT_URL",
    "PEMBAYARAN_API_TOKEN",
    "PUBLIC_URL",
    "SMTP_URL",
    "TRUSTED_PROXIES",
)


@dataclass(frozen=True)
class Addresses:
    """The ports of one demo, all on the loopback address."""

    web: int
    valkey: int
    api: int

    @classmethod
    def choose(cls) -> "Addresses":
        """Choose the default ports where free, else others. Raises `NoFreePortError`."""
        return cls(
            web=first_free(range(5000, 5050)),
            valkey=first_free((VALKEY_PORT, any_free())),
            api=first_free(range(5055, 5100)),
        )

    @property
    def web_url(self) -> str:
        return f"http://{HOST}:{self.web}"

    @property
    def redis_url(self) -> str:
        return f"redis://{HOST}:{self.valkey}/0"

    def settings(self) -> dict[str, str]:
        """Return the settings with which other commands in this folder use the demo's servers.

        Files need a folder of their own: the demo deletes those that its database does not name.
        """
        return {
            "DATABASE_URL": f"sqlite:///{INSTANCE / 'demo.db'}",
            "FILES_URL": f"file://{INSTANCE / 'demo-files'}",
            "REDIS_URL": self.redis_url,
            "PEMBAYARAN_API_URL": f"http://{HOST}:{self.api}",
        }

    def environment(self) -> dict[str, str]:
        """Return the demo's own settings, which override `.env` (an empty value: not set)."""
        return {**dict.fromkeys(LEFT_OUT, ""), "MYUKM_ENV": "development", **self.settings()}
