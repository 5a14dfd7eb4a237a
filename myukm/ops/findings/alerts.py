"""Check of the alerts: channels that fail."""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _

from myukm.ops import failing_channels
from myukm.ops.findings import WARNING, Finding


def undelivered() -> Iterator[Finding]:
    """A channel whose last attempts failed; the other channels report it."""
    for name, why in sorted(failing_channels.published().items()):
        yield Finding(
            "alerts_undelivered",
            WARNING,
            _(
                "Peringatan tidak sampai lewat %(channel)s: %(why)s",
                channel=name,
                why=why,
            ),
            _(
                "Betulkan pengaturannya, lalu coba: %(command)s. Yang tertahan dikirim kemudian.",
                command="./run alert test",
            ),
            subject=name,
        )
