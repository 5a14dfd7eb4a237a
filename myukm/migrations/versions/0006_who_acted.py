"""the account of who acted, in the trail; an account's newest acts, for the flood guard"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
from myukm.db.migration_steps import add_column
import myukm.db.session
revision = '0006'
down_revision = '0005'


def upgrade():
    add_column('audit', sa.Column('actor_id', myukm.db.types.Id, nullable=True))
    op.create_index('ix_audit_actor', 'audit', ['actor_id'], unique=False, if_not_exists=True)
    add_column('user_account', sa.Column('recent_acts', sa.String(length=400), nullable=False, server_default=''))


def downgrade():
    # Not in batch mode: it would make tables anew, and SQLite empties what refers to them.
    op.drop_column('user_account', 'recent_acts')
    op.drop_index('ix_audit_actor', 'audit')
    op.drop_column('audit', 'actor_id')
