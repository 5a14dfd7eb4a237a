"""Check of the notifications to closed browsers: push services that accept none."""

from collections.abc import Iterator

from flask_babel import lazy_gettext as _

from myukm.domain.push import failing_services
from myukm.ops.findings import WARNING, Finding


def undelivered() -> Iterator[Finding]:
    """A push service that accepted none of the last notifications."""
    if found := failing_services.worst():
        yield Finding(
            "push_undelivered",
            WARNING,
            _(
                "Pemberitahuan ke ponsel dan peramban yang tertutup tidak sampai: %(n)d kiriman"
                " terakhir ke %(host)s gagal (%(why)s).",
                n=found.failures,
                host=found.host,
                why=found.why,
            ),
            _(
                "Server worker harus dapat membuka alamat itu; coba dari sana: %(command)s. Kalau"
                " jawabannya HTTP 401 atau 403, periksa jam server.",
                command=f"curl -sSI https://{found.host}",
            ),
        )
