"""what to do about an alert is stored with it"""

from alembic import op
import sqlalchemy as sa
from myukm.db.migration_steps import add_column, drop_column
revision = '0017'
down_revision = '0016'


def upgrade():
    add_column('alert', sa.Column('cure', sa.Text(), nullable=True))


def downgrade():
    drop_column('alert', 'cure')
