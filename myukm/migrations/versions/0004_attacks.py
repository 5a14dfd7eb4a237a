"""since when somebody tries to guess an account's password

It runs after 0006. The order of the migrations is that of `down_revision`, not of the numbers.
"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
from myukm.db.migration_steps import add_column, drop_column
revision = '0004'
down_revision = '0006'


def upgrade():
    add_column('user_account', sa.Column('attacked_at', myukm.db.types.UTCDateTime(), nullable=True))


def downgrade():
    drop_column('user_account', 'attacked_at')
