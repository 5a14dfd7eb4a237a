"""the account of who acted, in the trail; an account's newest acts, for the flood guard"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
import myukm.db.session
revision = '0006'
down_revision = '0005'


def upgrade():
    add('audit', sa.Column('actor_id', myukm.db.types.Id, nullable=True))
    op.create_index('ix_audit_actor', 'audit', ['actor_id'], unique=False, if_not_exists=True)
    add('user_account', sa.Column('recent_acts', sa.String(length=400), nullable=False, server_default=''))


def add(table, column):
    """Add a column, unless an upgrade that was killed has added it already."""
    if column.name not in {known['name'] for known in sa.inspect(op.get_bind()).get_columns(table)}:
        op.add_column(table, column)


def downgrade():
    # Not in batch mode: it would make tables anew, and SQLite empties what refers to them.
    op.drop_column('user_account', 'recent_acts')
    op.drop_index('ix_audit_actor', 'audit')
    op.drop_column('audit', 'actor_id')
