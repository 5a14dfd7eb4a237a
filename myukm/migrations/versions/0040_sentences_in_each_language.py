"""reasons, failures and alerts in each language"""

from alembic import op
import sqlalchemy as sa
from myukm.db.migration_steps import add_column, drop_column
revision = '0040'
down_revision = '0039'

TABLES = ('sync_run', 'sync_item', 'alert')


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    for table in TABLES:
        add_column(table, sa.Column('translations', sa.JSON(none_as_null=True), nullable=True))


def downgrade():
    for table in TABLES:
        drop_column(table, 'translations')
