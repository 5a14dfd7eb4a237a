"""since when somebody tries to guess an account's password"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
import myukm.db.session
revision = '0004'
down_revision = '0006'


def upgrade():
    """An upgrade that was killed may have added the column already."""
    columns = sa.inspect(op.get_bind()).get_columns('user_account')
    if 'attacked_at' not in {column['name'] for column in columns}:
        op.add_column('user_account', sa.Column('attacked_at', myukm.db.types.UTCDateTime(), nullable=True))


def downgrade():
    # Not in batch mode: it would make the table anew, and SQLite empties what refers to it.
    op.drop_column('user_account', 'attacked_at')
