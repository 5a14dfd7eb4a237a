"""indexes of the sets of bills, and of students whose bills are unknown or disagree; on PostgreSQL
the index of the list contains the columns of the filters"""

from alembic import op
import sqlalchemy as sa
revision = '0039'
down_revision = '0038'

PLACES = ['unit_formal', 'kelas_formal', 'asrama_pondok', 'kamar_pondok', 'tingkat_diniyah']
IN_DOUBT = sa.text("(status = 'belum_sinkron' OR tidak_cocok)")
MARKS = ['status', 'tidak_cocok', 'active', *PLACES]
BY_DIALECT = {
    'sqlite': ('ix_siswa_in_doubt', [*MARKS, 'search_text'], {'sqlite_where': IN_DOUBT}),
    'postgresql': (
        'ix_siswa_in_doubt_on_server',
        ['id'],
        {'postgresql_include': MARKS, 'postgresql_where': IN_DOUBT},
    ),
}
LIST = ['search_text', 'id', 'status', 'lebih_bayar', 'tidak_cocok', 'active']


def upgrade():
    op.create_index('ix_siswa_bill_set', 'siswa', ['bill_set'], if_not_exists=True)
    if (dialect := op.get_bind().dialect.name) in BY_DIALECT:
        name, columns, options = BY_DIALECT[dialect]
        op.create_index(name, 'siswa', columns, if_not_exists=True, **options)
    list_again(['tunggakan', 'synced_at', *PLACES, 'bill_set'])


def list_again(included):
    if op.get_bind().dialect.name == 'postgresql':
        op.drop_index('ix_siswa_list', 'siswa', if_exists=True)
        op.create_index('ix_siswa_list', 'siswa', LIST, postgresql_include=included)


def downgrade():
    list_again([])
    op.drop_index('ix_siswa_bill_set', 'siswa', if_exists=True)
    if (dialect := op.get_bind().dialect.name) in BY_DIALECT:
        op.drop_index(BY_DIALECT[dialect][0], 'siswa', if_exists=True)
