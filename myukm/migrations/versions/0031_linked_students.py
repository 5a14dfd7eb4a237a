"""accounts that are linked to a student"""

from alembic import op
import sqlalchemy as sa
from myukm.db.migration_steps import add_column, drop_column
from myukm.db.types import UTCDateTime, key_type
revision = '0031'
down_revision = '0030'

LINK = (('idperson', key_type(64)), ('linked_by', key_type(8)), ('linked_at', UTCDateTime()))


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    inspector = sa.inspect(op.get_bind())
    for name, kind in LINK:
        add_column('user_account', sa.Column(name, kind))
    add_column('siswa', sa.Column('nim', key_type(32), nullable=False, server_default=''))
    op.create_index('ix_user_account_idperson', 'user_account', ['idperson'], unique=True,
                    if_not_exists=True)
    op.create_index('ix_siswa_nim', 'siswa', ['nim'], if_not_exists=True)
    if not inspector.has_table('student_code'):
        op.create_table(
            'student_code',
            sa.Column('idperson', key_type(64), primary_key=True),
            sa.Column('code_hash', key_type(64), nullable=False, unique=True),
            sa.Column('created_at', UTCDateTime(), nullable=False),
        )


def downgrade():
    op.drop_table('student_code', if_exists=True)
    op.drop_index('ix_siswa_nim', 'siswa', if_exists=True)
    op.drop_index('ix_user_account_idperson', 'user_account', if_exists=True)
    drop_column('siswa', 'nim')
    for name, _kind in LINK:
        drop_column('user_account', name)
