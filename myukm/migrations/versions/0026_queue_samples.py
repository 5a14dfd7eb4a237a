"""the history of the queues"""

from alembic import op
import sqlalchemy as sa
import myukm.db.types
revision = '0026'
down_revision = '0018'


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
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
