"""the actor's account in the audit log; an account's newest acts, for the flood limit"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
from myukm.db.migration_steps import add_column, drop_column
revision = '0006'
down_revision = '0005'


def upgrade():
    add_column('audit', sa.Column('actor_id', myukm.db.types.Id, nullable=True))
    op.create_index('ix_audit_actor', 'audit', ['actor_id'], unique=False, if_not_exists=True)
    add_column('user_account', sa.Column('recent_acts', sa.String(length=400), nullable=False, server_default=''))


def downgrade():
    drop_column('user_account', 'recent_acts')
    op.drop_index('ix_audit_actor', 'audit', if_exists=True)
    drop_column('audit', 'actor_id')
