"""the schedule of the sync"""

from datetime import UTC, datetime

from alembic import op
import sqlalchemy as sa
from myukm.db.types import Id, UTCDateTime, key_type
revision = '0014'
down_revision = '0013'


def upgrade():
    table = op.create_table(
        'sync_schedule',
        sa.Column('id', Id, primary_key=True),
        sa.Column('expression', sa.String(200), nullable=False),
        sa.Column('handled', UTCDateTime(), nullable=False),
        sa.Column('outcome', key_type(16), nullable=False),
    )
    op.bulk_insert(table, [{'id': 1, 'expression': '', 'handled': datetime.now(UTC), 'outcome': 'new'}])


def downgrade():
    op.drop_table('sync_schedule')
