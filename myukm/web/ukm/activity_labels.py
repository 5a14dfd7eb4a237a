"""Translated sentences for the entries of a UKM's activity log."""

from datetime import datetime

from flask_babel import format_datetime
from flask_babel import gettext as _

from myukm.catalogue import N_
from myukm.models import Activity

SENTENCES = {
    "created": N_("%(actor)s membuat UKM ini: %(detail)s"),
    "joined": N_("%(person)s bergabung"),
    "added": N_("%(actor)s memasukkan %(person)s"),
    "left": N_("%(person)s keluar"),
    "removed": N_("%(actor)s mengeluarkan %(person)s"),
    "blocked": N_("%(actor)s mengeluarkan dan memblokir %(person)s"),
    "unblocked": N_("%(actor)s membuka blokir %(person)s"),
    "muted": N_("%(actor)s membisukan %(person)s sampai %(detail)s"),
    "unmuted": N_("%(actor)s mengizinkan %(person)s menulis lagi"),
    "promoted": N_("%(actor)s mengangkat %(person)s menjadi pengurus"),
    "demoted": N_("%(actor)s mencabut jabatan pengurus %(person)s"),
    "renamed": N_("%(actor)s mengganti nama UKM menjadi %(detail)s"),
    "described": N_("%(actor)s mengganti keterangan UKM"),
    "pinned": N_("%(actor)s menyematkan pengumuman %(detail)s"),
    "unpinned": N_("%(actor)s melepas pengumuman"),
    "message_deleted": N_("%(actor)s menghapus pesan %(person)s"),
    "report_deleted": N_("%(actor)s menghapus pesan %(person)s yang dilaporkan"),
    "report_dismissed": N_("%(actor)s mengabaikan laporan tentang pesan %(person)s"),
    "archived": N_("%(actor)s mengarsipkan UKM ini"),
    "restored": N_("%(actor)s mengaktifkan UKM ini lagi"),
    "exported": N_("%(actor)s mengekspor pesan, berkas, dan daftar anggota"),
    "code_renewed": N_("%(actor)s memperbarui kode gabung"),
    "link_opened": N_("%(actor)s membuka tautan gabung sampai %(detail)s"),
    "link_revoked": N_("%(actor)s mencabut tautan gabung"),
    "listed": N_("%(actor)s menampilkan UKM ini di Cari UKM"),
    "unlisted": N_("%(actor)s menarik UKM ini dari Cari UKM"),
    "accepted": N_("%(actor)s menerima permintaan %(person)s"),
    "refused": N_("%(actor)s menolak permintaan %(person)s"),
    "code_replaced": N_("Kode gabung diganti: yang lama sama dengan alamat UKM ini"),
}
# Actions whose detail is the time until which they hold.
UNTIL = frozenset({"muted", "link_opened"})


def sentence(line: Activity) -> str:
    """Return an entry as a sentence in the reader's language."""
    detail = line.detail
    if line.verb in UNTIL:
        detail = str(format_datetime(datetime.fromisoformat(detail), _("d MMM y HH.mm")))
    return str(
        _(
            SENTENCES[line.verb],
            actor=line.actor.name if line.actor else _("Kampus"),
            person=line.person.name if line.person else _("seseorang"),
            detail=detail,
        )
    ).strip()
