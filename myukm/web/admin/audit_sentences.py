"""Translated sentences for the entries of the audit page, in the form "(who) did what"."""

from flask_babel import gettext as _

from myukm.catalogue import N_
from myukm.models import Activity

SENTENCES = {
    "user.create": N_("membuat akun %(about)s"),
    "user.invite": N_("mengundang %(about)s"),
    "user.uninvite": N_("menarik undangan %(about)s"),
    "user.import": N_("mengundang banyak orang sekaligus: %(about)s"),
    "user.role.admin": N_("menjadikan %(about)s admin"),
    "user.role.bendahara": N_("menjadikan %(about)s bendahara"),
    "user.role.operator": N_("menjadikan %(about)s operator"),
    "user.role.anggota": N_("menjadikan %(about)s anggota"),
    "user.block": N_("memblokir %(about)s"),
    "user.unblock": N_("membuka blokir %(about)s"),
    "user.delete": N_("menghapus akun %(about)s"),
    "user.password": N_("mengganti kata sandi %(about)s"),
    "user.reset_code": N_("membuat kode kata sandi untuk %(about)s"),
    "user.reset_password": N_("memasang kata sandi baru dengan kode: %(about)s"),
    "user.logout": N_("mengeluarkan semua perangkat %(about)s"),
    "user.photo": N_("memasang foto %(about)s"),
    "user.photo.remove": N_("menghapus foto %(about)s"),
    "ukm.create": N_("membuat UKM %(about)s"),
    "ukm.add": N_("memasukkan anggota ke UKM: %(about)s"),
    "ukm.admin": N_("mengangkat pengurus UKM: %(about)s"),
    "ukm.rename": N_("mengganti nama UKM %(about)s"),
    "ukm.code": N_("memperbarui kode gabung UKM %(about)s"),
    "ukm.archived": N_("mengarsipkan UKM %(about)s"),
    "ukm.restored": N_("mengaktifkan lagi UKM %(about)s"),
    "sync.started": N_("memulai sinkronisasi %(about)s"),
    "sync.paused": N_("menjeda sinkronisasi %(about)s"),
    "sync.resumed": N_("melanjutkan sinkronisasi %(about)s"),
    "sync.accepted": N_("menerima jawaban API yang mencurigakan, sinkronisasi %(about)s"),
    "sync.cancelling": N_("membatalkan sinkronisasi %(about)s"),
    "sync.reset": N_("menutup hasil sinkronisasi terakhir"),
    "sync.student": N_("menyinkronkan siswa %(about)s"),
    "siswa.import": N_("mengimpor siswa: %(about)s"),
    "siswa.import_undo": N_("membatalkan impor siswa: %(about)s"),
    "siswa.link_code": N_("membuat kode penghubung untuk siswa %(about)s"),
    "siswa.link": N_("menghubungkan akun dengan siswa: %(about)s"),
    "siswa.unlink": N_("melepaskan akun dari siswa: %(about)s"),
    "queue.retry": N_("mengulangi pekerjaan gagal: %(about)s"),
    "queue.clear": N_("mengosongkan antrian %(about)s"),
    "queue.pause": N_("menjeda antrian %(about)s"),
    "queue.resume": N_("melanjutkan antrian %(about)s"),
    "queue.restart": N_("meminta semua worker mulai lagi"),
    "queue.delete_job": N_("menghapus pekerjaan %(about)s"),
    "queue.requeue_job": N_("mengulangi pekerjaan %(about)s"),
    "queue.requeue_all": N_("mengulangi semua pekerjaan gagal: %(about)s"),
    "queue.empty_queue": N_("mengosongkan antrian %(about)s"),
    "queue.compact_queue": N_("merapikan antrian %(about)s"),
    "backup.proved": N_("menguji cadangan %(about)s"),
    "backup.failed": N_("gagal mencadangkan: %(about)s"),
    "attack.account": N_("mencatat tebakan kata sandi terhadap akun %(about)s"),
    "attack.address": N_("mencatat tebakan kata sandi dari alamat %(about)s"),
}


def sentence(line: Activity) -> str:
    """Return an entry as a sentence in the reader's language; an unknown action by its code."""
    text = SENTENCES.get(line.action)
    return _(text, about=line.subject).strip() if text else f"{line.action} {line.subject}"
