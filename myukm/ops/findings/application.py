"""Checks of the program itself: chat publishing, payment API, log-in attacks."""

from collections.abc import Iterator
from datetime import timedelta

from flask_babel import lazy_gettext as _
from sqlalchemy import func, select

from myukm.db.types import utcnow
from myukm.domain.accounts import attacks as login_attacks
from myukm.domain.sync import progress
from myukm.extensions import db
from myukm.models import ChatMessage, Membership
from myukm.ops import api_probe
from myukm.ops.findings import BROKEN, WARNING, Finding
from myukm.sentences import lazy_decimal, stored_sentence

# The periodic task publishes overdue messages within 2 s. Messages unpublished for 10 s mean that
# no process runs the task. If other messages were published lately, the machine is only busy, so
# the overdue messages are reported after 60 s.
UNPUBLISHED_AFTER, UNPUBLISHED_WHEN_BUSY = timedelta(seconds=10), timedelta(seconds=60)
LATEST_MESSAGES = 1000


def chat() -> Iterator[Finding]:
    """Stored messages that neither a worker nor the periodic task has published."""
    count, since = db.session.execute(
        select(func.count(), func.min(ChatMessage.created_at)).where(
            ChatMessage.published_at.is_(None),
            ChatMessage.created_at < utcnow() - UNPUBLISHED_AFTER,
        )
    ).one()
    if count and (utcnow() - since > UNPUBLISHED_WHEN_BUSY or not _published_lately()):
        yield Finding(
            "chat_unpublished",
            BROKEN,
            _(
                "%(count)s pesan chat tersimpan tetapi belum disiarkan.",
                count=lazy_decimal(count),
            ),
            _("Pastikan server web atau worker.py berjalan; sebabnya ada di log mereka."),
            since,
            people=_waiting_members(),
        )


def _published_lately() -> bool:
    """Return whether one of the latest messages has been published within `UNPUBLISHED_AFTER`."""
    newest = select(func.max(ChatMessage.id)).scalar_subquery()
    query = select(func.max(ChatMessage.published_at)).where(
        ChatMessage.id > newest - LATEST_MESSAGES
    )
    last = db.session.scalar(query)
    return last is not None and utcnow() - last < UNPUBLISHED_AFTER


def _waiting_members() -> int:
    """Return how many people are members of UKMs with unpublished messages."""
    waiting = select(ChatMessage.ukm_id).where(ChatMessage.published_at.is_(None))
    people = select(func.count(Membership.user_id.distinct())).where(Membership.ukm_id.in_(waiting))
    return int(db.session.scalar(people) or 0)


def payment_api() -> Iterator[Finding]:
    """Payment API unreachable or rejecting our token, according to the latest probe. Nothing during
    a run, because the run itself reports failing requests."""
    probed = api_probe.last()
    if probed is None or probed.ok or progress.live() is not None:
        return
    if probed.refused:
        yield Finding(
            "api_refused",
            BROKEN,
            _("API pembayaran menolak token kita (%(why)s).", why=stored_sentence(probed, "why")),
            _("Perbarui PEMBAYARAN_API_TOKEN, lalu jalankan ulang worker dan web."),
        )
    else:
        yield Finding(
            "api_unreachable",
            WARNING,
            _(
                "API pembayaran di %(url)s tidak menjawab: %(why)s.",
                url=probed.url,
                why=stored_sentence(probed, "why"),
            ),
            _(
                "Periksa PEMBAYARAN_API_URL dan server API. Sinkronisasi menunggu dan jalan lagi "
                "sendiri."
            ),
        )


def attacks() -> Iterator[Finding]:
    """Password guessing: many failed log-ins for one account, or from one address."""
    lately = login_attacks.recent()
    if lately:
        accounts = {each.subject for each in lately if each.action == login_attacks.ON_ACCOUNT}
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
            people=len(accounts) or None,
        )
