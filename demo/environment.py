"""Where the demo's parts listen, and the settings that lead its processes there."""

from dataclasses import dataclass

from config import INSTANCE
from devtools.ports import HOST, any_free, first_free

VALKEY_PORT = 6379
# What a person's own settings must not do to a demo: reach outside, or count on a proxy.
LEFT_OUT = (
    "ALERT_EMAIL_TO",
    "ALERT_WEBHOOK_URL",
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
        """Take the usual ports where they are free, else others; NoFreePortError."""
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
        """Return what other commands of this folder need to find the demo's parts."""
        return {
            "DATABASE_URL": f"sqlite:///{INSTANCE / 'demo.db'}",
            "REDIS_URL": self.redis_url,
            "PEMBAYARAN_API_URL": f"http://{HOST}:{self.api}",
        }

    def environment(self) -> dict[str, str]:
        """Return what the demo's own processes get, whatever `.env` says (empty: not set)."""
        return {**dict.fromkeys(LEFT_OUT, ""), "MYUKM_ENV": "development", **self.settings()}
