"""files that jobs write"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

import myukm.db.types

revision = '0032'
down_revision = '0031'

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
BYTES = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), 'mysql')


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    tables = sa.inspect(op.get_bind()).get_table_names()
    if 'export' not in tables:
        op.create_table(
            'export',
            sa.Column('id', ID, nullable=False),
            sa.Column('user_id', ID, nullable=False),
            sa.Column('kind', key(8), nullable=False),
            sa.Column('query', sa.Text(), nullable=False),
            sa.Column('lang', key(8), nullable=False),
            sa.Column('state', key(16), nullable=False),
            sa.Column('total', sa.Integer(), nullable=False),
            sa.Column('done', sa.Integer(), nullable=False),
            sa.Column('size', ID, nullable=False),
            sa.Column('holder', key(36), nullable=True),
            sa.Column('heartbeat', ID, nullable=False),
            sa.Column('losses', sa.Integer(), nullable=False),
            sa.Column('reason', sa.String(300), nullable=True),
            sa.Column('created_at', myukm.db.types.UTCDateTime(), nullable=False),
            sa.Column('finished_at', myukm.db.types.UTCDateTime(), nullable=True),
            sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
            sa.PrimaryKeyConstraint('id'),
        )
    op.create_index('ix_export_user_id', 'export', ['user_id', 'id'], if_not_exists=True)
    if 'export_part' not in tables:
        op.create_table(
            'export_part',
            sa.Column('export_id', ID, autoincrement=False, nullable=False),
            sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
            sa.Column('data', BYTES, nullable=False),
            sa.ForeignKeyConstraint(['export_id'], ['export.id'], ondelete='CASCADE'),
            sa.PrimaryKeyConstraint('export_id', 'number'),
        )


def key(length):
    return sa.String(length).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=length), 'mysql')


def downgrade():
    op.drop_table('export_part', if_exists=True)
    op.drop_table('export', if_exists=True)
