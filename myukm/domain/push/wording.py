"""The texts of notifications, in the language of the browser that shows them."""

from typing import NamedTuple

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _

from myukm.domain.push.outbox import MENTION
from myukm.models import ChatMessage, Ukm, UkmPin

# A phone shows a few lines, and the encrypted payload has at most some 3,000 bytes.
MAX_BODY = 240  # characters


class Words(NamedTuple):
    """Title and body of a notification, and the page that it opens."""

    title: str
    body: str
    path: str


def message(ukm: Ukm, newest: ChatMessage, count: int, kind: str, *, show_text: bool) -> Words:
    """Return the texts for a member's `count` unread messages of a UKM. `newest` is the latest one
    that the member is notified of; without `show_text` its text and author are left out."""
    path = f"/ukm/{ukm.code}/chat"
    if show_text:
        title = _("%(name)s di %(ukm)s", name=newest.user.name, ukm=ukm.name)
        lines = [shortened(newest.body) or _("Foto atau berkas")]
    else:
        title = ukm.name
        lines = [_("Ada pesan untuk Anda.") if kind == MENTION else _("Ada pesan baru.")]
    if count > 1:
        number = format_decimal(count)
        lines.append(
            ngettext("%(n)s pesan belum dibaca", "%(n)s pesan belum dibaca", count, n=number)
        )
    return Words(title, "\n".join(lines), path)


def announcement(ukm: Ukm, pin: UkmPin, *, show_text: bool) -> Words:
    """Return the texts for a UKM's announcement."""
    text = pin.message.body if pin.message else pin.text
    body = shortened(text) if show_text and text else _("Ada pengumuman baru.")
    return Words(_("Pengumuman %(ukm)s", ukm=ukm.name), body, f"/ukm/{ukm.code}/chat")


def test() -> Words:
    """Return the texts of the test notification."""
    return Words("MyUKM", _("Pemberitahuan sampai di perangkat ini."), "/profile/notifications")


def shortened(text: str) -> str:
    """Return a text, cut after `MAX_BODY` characters."""
    return text if len(text) <= MAX_BODY else f"{text[:MAX_BODY].rstrip()}…"
