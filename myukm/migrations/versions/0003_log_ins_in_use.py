"""when a log-in was last used"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
revision = '0003'
down_revision = '0002'


def upgrade():
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.add_column(sa.Column('seen_at', myukm.db.types.UTCDateTime(), nullable=True))

    # They count as used now, so that nobody is logged out: when they were last used is not known.
    sessions = sa.table('login_session', sa.column('seen_at', myukm.db.types.UTCDateTime()))
    op.execute(sessions.update().values(seen_at=myukm.db.types.utcnow()))
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.alter_column('seen_at', existing_type=myukm.db.types.UTCDateTime(), nullable=False)


def downgrade():
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.drop_column('seen_at')
