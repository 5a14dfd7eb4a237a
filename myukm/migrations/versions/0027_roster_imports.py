"""imports of the student roster"""

from alembic import op
import sqlalchemy as sa
from myukm.db.types import Id, UTCDateTime, key_type
revision = '0027'
down_revision = '0026'

COUNTS = ('tries', 'plan', 'position', 'students', 'active', 'added', 'changed', 'leaving', 'wrong',
          'skipped')


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    tables = sa.inspect(op.get_bind()).get_table_names()
    if 'roster_import' not in tables:
        op.create_table(
            'roster_import',
            sa.Column('id', Id, primary_key=True),
            sa.Column('status', key_type(16), nullable=False),
            sa.Column('source', key_type(8), nullable=False),
            sa.Column('file_name', sa.String(120), nullable=False),
            sa.Column('account_id', Id),
            sa.Column('actor_name', sa.String(120), nullable=False),
            sa.Column('lang', key_type(8), nullable=False),
            sa.Column('whole', sa.Boolean(), nullable=False),
            sa.Column('holder', key_type(36)),
            sa.Column('heartbeat', Id, nullable=False),
            sa.Column('live', sa.Integer(), unique=True),
            sa.Column('base', Id, nullable=False),
            sa.Column('settled', Id, unique=True),
            *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
            sa.Column('outdated', sa.Boolean(), nullable=False),
            sa.Column('error', sa.String(500)),
            sa.Column('created_at', UTCDateTime(), nullable=False),
            sa.Column('settled_at', UTCDateTime()),
            sa.Column('undone_by', sa.String(120)),
            sa.Column('undone_by_id', Id),
        )
    if 'roster_part' not in tables:
        op.create_table(
            'roster_part',
            sa.Column('import_id', Id, primary_key=True, autoincrement=False),
            sa.Column('number', sa.Integer(), primary_key=True, autoincrement=False),
            sa.Column('data', sa.LargeBinary(), nullable=False),
        )
    if 'roster_change' not in tables:
        op.create_table(
            'roster_change',
            sa.Column('import_id', Id, primary_key=True, autoincrement=False),
            sa.Column('number', sa.Integer(), primary_key=True, autoincrement=False),
            sa.Column('kind', key_type(8), nullable=False),
            sa.Column('idperson', key_type(64), nullable=False),
            sa.Column('nama', sa.String(160), nullable=False),
            sa.Column('old', sa.JSON()),
            sa.Column('new', sa.JSON()),
            sa.Column('line', sa.Integer()),
            sa.Column('reason', sa.String(300)),
            sa.Column('skipped', sa.Boolean(), nullable=False),
        )
    change = 'roster_change'
    op.create_index('ix_roster_change_kind', change, ['import_id', 'kind', 'number'],
                    if_not_exists=True)
    op.create_index('ix_roster_change_idperson', change, ['import_id', 'idperson'],
                    if_not_exists=True)


def downgrade():
    for table in ('roster_change', 'roster_part', 'roster_import'):
        op.drop_table(table, if_exists=True)
