"""which queues are paused"""

from alembic import op
import sqlalchemy as sa
from myukm.db.types import Id, UTCDateTime, key_type
revision = '0029'
down_revision = '0028'


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    if not sa.inspect(op.get_bind()).has_table('queue_pause'):
        op.create_table(
            'queue_pause',
            sa.Column('queue', key_type(40), primary_key=True),
            sa.Column('generation', Id, nullable=False),
            sa.Column('since', UTCDateTime(), nullable=True),
            sa.Column('actor_name', sa.String(120), nullable=True),
        )


def downgrade():
    op.drop_table('queue_pause', if_exists=True)
