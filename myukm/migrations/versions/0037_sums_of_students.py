"""on PostgreSQL an index with all columns by which students are added up and filtered"""

from alembic import op
revision = '0037'
down_revision = '0036'

INCLUDED = [
    'status', 'tunggakan', 'lebih_bayar', 'bill_set', 'tidak_cocok', 'active', 'synced_at',
    'unit_formal', 'kelas_formal', 'asrama_pondok', 'kamar_pondok', 'tingkat_diniyah',
]


def upgrade():
    if op.get_bind().dialect.name == 'postgresql':
        op.create_index(
            'ix_siswa_sums', 'siswa', ['id'], if_not_exists=True, postgresql_include=INCLUDED
        )


def downgrade():
    if op.get_bind().dialect.name == 'postgresql':
        op.drop_index('ix_siswa_sums', 'siswa', if_exists=True)
