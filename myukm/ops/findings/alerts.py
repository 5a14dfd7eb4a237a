"""Check of the alerts: channels that do not take them."""

from collections.abc import Iterator
from typing import cast

from flask_babel import lazy_gettext as _

from myukm.extensions import valkey
from myukm.ops.alerts import outbox
from myukm.ops.findings import WARNING, Finding


def undelivered() -> Iterator[Finding]:
    """A channel that refused several tries; the other channels report it."""
    failing = cast(dict[bytes, bytes], valkey().hgetall(outbox.KEY))
    for name, why in sorted(failing.items()):
        yield Finding(
            "alerts_undelivered",
            WARNING,
            _(
                "Peringatan tidak sampai lewat %(channel)s: %(why)s",
                channel=name.decode(),
                why=why.decode(),
            ),
            _(
                "Betulkan pengaturannya, lalu coba: %(command)s. Yang tertahan dikirim kemudian.",
                command="./run alert test",
            ),
            subject=name.decode(),
        )
