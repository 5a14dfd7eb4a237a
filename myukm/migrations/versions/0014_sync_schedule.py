"""the schedule of the sync"""

from datetime import UTC, datetime

from alembic import op
import sqlalchemy as sa
from myukm.db.types import Id, UTCDateTime, key_type
revision = '0014'
down_revision = '0013'

row = {'id': 1, 'expression': '', 'handled': datetime.now(UTC), 'outcome': 'new'}
schedule = sa.table(
    'sync_schedule',
    *(sa.column('id', Id), sa.column('expression', sa.String(200))),
    *(sa.column('handled', UTCDateTime()), sa.column('outcome', key_type(16))),
)


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    connection = op.get_bind()
    if not sa.inspect(connection).has_table('sync_schedule'):
        op.create_table(
            'sync_schedule',
            sa.Column('id', Id, primary_key=True),
            sa.Column('expression', sa.String(200), nullable=False),
            sa.Column('handled', UTCDateTime(), nullable=False),
            sa.Column('outcome', key_type(16), nullable=False),
        )
    if not connection.scalar(sa.select(sa.func.count()).select_from(schedule)):
        op.execute(schedule.insert().values(row))


def downgrade():
    op.drop_table('sync_schedule', if_exists=True)
