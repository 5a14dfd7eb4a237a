"""losses of paid amounts and bills; on SQLite a covering index for lists"""

from alembic import op
import sqlalchemy as sa
import myukm.db.types
revision = '0018'
down_revision = '0017'

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
LISTED = ['search_text', 'id', 'status', 'lebih_bayar', 'tidak_cocok', 'active']
MORE = [
    'tunggakan', 'synced_at', 'unit_formal', 'kelas_formal', 'asrama_pondok', 'kamar_pondok',
    'tingkat_diniyah', 'idperson',
]


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    if not sa.inspect(op.get_bind()).has_table('payment_loss'):
        op.create_table(
            'payment_loss',
            sa.Column('siswa_id', ID, autoincrement=False, nullable=False),
            sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
            sa.Column('paid_before', sa.BigInteger(), nullable=False),
            sa.Column('paid_after', sa.BigInteger(), nullable=False),
            sa.Column('vanished', sa.Integer(), nullable=False),
            sa.Column('vanished_billed', sa.BigInteger(), nullable=False),
            sa.Column('vanished_name', sa.String(400), nullable=False),
            sa.PrimaryKeyConstraint('siswa_id'),
        )
    if op.get_bind().dialect.name == 'sqlite':
        op.create_index('ix_siswa_list_whole', 'siswa', [*LISTED, *MORE], if_not_exists=True)
        op.drop_index('ix_siswa_list', 'siswa', if_exists=True)


def downgrade():
    op.drop_table('payment_loss', if_exists=True)
    if op.get_bind().dialect.name == 'sqlite':
        op.create_index('ix_siswa_list', 'siswa', LISTED, if_not_exists=True)
        op.drop_index('ix_siswa_list_whole', 'siswa', if_exists=True)
