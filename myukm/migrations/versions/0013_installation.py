"""the id of this database, a counter of test writes, and when a leader was last alive"""

import secrets

import myukm.db.types

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from myukm.db.migration_steps import add_column, drop_column
revision = '0013'
down_revision = '0012'


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    inspector = sa.inspect(op.get_bind())
    if not inspector.has_table('installation'):
        op.create_table('installation',
        sa.Column('id', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
        sa.Column('writes', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
        sa.PrimaryKeyConstraint('id')
        )
    installation = sa.table('installation', sa.column('id'), sa.column('writes'))
    if not op.get_bind().scalar(sa.select(sa.func.count()).select_from(installation)):
        op.execute(installation.insert().values(id=secrets.token_hex(16), writes=0))
    add_column('leader_lease', sa.Column('led_at', myukm.db.types.UTCDateTime(), nullable=True))


def downgrade():
    drop_column('leader_lease', 'led_at')
    op.drop_table('installation', if_exists=True)
