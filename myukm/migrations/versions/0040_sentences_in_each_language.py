"""reasons, failures and alerts in each language"""

from alembic import op
import sqlalchemy as sa
revision = '0040'
down_revision = '0039'

TABLES = ('sync_run', 'sync_item', 'alert')


def upgrade():
    """Each step asks first what an upgrade that was killed has done already."""
    there = sa.inspect(op.get_bind())
    for table in TABLES:
        if 'translations' not in {column['name'] for column in there.get_columns(table)}:
            op.add_column(table, sa.Column('translations', sa.JSON(none_as_null=True), nullable=True))


def downgrade():
    for table in TABLES:
        op.drop_column(table, 'translations')
