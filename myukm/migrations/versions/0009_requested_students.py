"""single students that people asked to sync"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
revision = '0009'
down_revision = '0008'


def upgrade():
    """An upgrade that was killed may have created the table already."""
    if sa.inspect(op.get_bind()).has_table('sync_request'):
        return
    key = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('sync_request',
    sa.Column('id', key, nullable=False),
    sa.Column('idperson', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('holder', sa.String(length=36).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=36), 'mysql'), nullable=True),
    sa.Column('beat', key, nullable=False),
    sa.Column('losses', sa.Integer(), nullable=False),
    sa.Column('doubt', sa.String(length=300), nullable=True),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('idperson')
    )


def downgrade():
    op.drop_table('sync_request', if_exists=True)
