"""Checks of the program itself: chat publishing, payment API, log-in attacks."""

from collections.abc import Iterator
from datetime import timedelta

from flask_babel import format_decimal
from flask_babel import gettext as _
from sqlalchemy import func, select

from myukm.db.types import utcnow
from myukm.domain.accounts import attacks as login_attacks
from myukm.domain.sync import progress
from myukm.extensions import db
from myukm.models import ChatMessage
from myukm.ops import api_probe
from myukm.ops.findings import BROKEN, WARNING, Finding

# The periodic task publishes overdue messages within two seconds; more means that none runs.
UNPUBLISHED_AFTER = timedelta(seconds=10)


def chat() -> Iterator[Finding]:
    """Stored messages that neither a worker nor the periodic task has published."""
    count, since = db.session.execute(
        select(func.count(), func.min(ChatMessage.created_at)).where(
            ChatMessage.published_at.is_(None),
            ChatMessage.created_at < utcnow() - UNPUBLISHED_AFTER,
        )
    ).one()
    if count:
        yield Finding(
            "chat_unpublished",
            BROKEN,
            _(
                "%(count)s pesan chat tersimpan tetapi belum disiarkan.",
                count=format_decimal(count),
            ),
            _("Pastikan server web atau worker.py berjalan; sebabnya ada di log mereka."),
            since,
        )


def payment_api() -> Iterator[Finding]:
    """Payment API unreachable or rejecting our token, according to the latest probe. During a run
    its own requests tell."""
    probed = api_probe.last()
    if probed is None or probed.ok or progress.live() is not None:
        return
    if probed.refused:
        yield Finding(
            "api_refused",
            BROKEN,
            _("API pembayaran menolak token kita (%(why)s).", why=probed.why),
            _("Perbarui PEMBAYARAN_API_TOKEN, lalu jalankan ulang worker dan web."),
        )
    else:
        yield Finding(
            "api_unreachable",
            WARNING,
            _("API pembayaran di %(url)s tidak menjawab: %(why)s.", url=probed.url, why=probed.why),
            _(
                "Periksa PEMBAYARAN_API_URL dan server API. Sinkronisasi menunggu dan jalan lagi "
                "sendiri."
            ),
        )


def attacks() -> Iterator[Finding]:
    """Password guessing: many wrong log-ins for one account, or from one address."""
    lately = login_attacks.lately()
    if lately:
        subjects = ", ".join(dict.fromkeys(attack.subject for attack in lately[:3]))
        yield Finding(
            "login_attack",
            WARNING,
            _("Ada yang menebak-nebak kata sandi: %(subjects)s.", subjects=subjects),
            _(
                "Percobaannya dibatasi dan pemilik akun diberi tahu. Lihat Jejak audit "
                "(attack.). Alamat penyerang ada di log keamanan: blokir di firewall bila perlu."
            ),
            lately[-1].at,
        )
