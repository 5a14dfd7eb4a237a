"""the history of the queues: a sample for each `step` of 10, 300 or 3600 seconds"""

from alembic import op
import sqlalchemy as sa
import myukm.db.types
revision = '0026'
down_revision = '0018'


def upgrade():
    """Creates the table, unless a killed upgrade has created it already."""
    if not sa.inspect(op.get_bind()).has_table('queue_sample'):
        op.create_table(
            'queue_sample',
            sa.Column('step', sa.Integer(), autoincrement=False, nullable=False),
            sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
            sa.Column('seconds', sa.Integer(), nullable=False),
            sa.Column('queues', sa.JSON(), nullable=False),
            sa.Column('starts', sa.JSON(), nullable=False),
            sa.Column('totals', sa.JSON(), nullable=True),
            sa.PrimaryKeyConstraint('step', 'at'),
        )


def downgrade():
    op.drop_table('queue_sample', if_exists=True)
