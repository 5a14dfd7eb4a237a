"""Web Push: the key, subscribed browsers, choices, cursors and deliveries"""

from alembic import op
import sqlalchemy as sa
from myukm.db.migration_steps import add_column, drop_column
import myukm.db.types
revision = '0028'
down_revision = '0027'

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
KEY = myukm.db.types.key_type
TIME = myukm.db.types.UTCDateTime()


def cascade(column, target):
    return sa.ForeignKeyConstraint([column], [target], ondelete='CASCADE')


TABLES = {
    'push_key': lambda: (
        sa.Column('id', ID, autoincrement=False, nullable=False),
        sa.Column('private', sa.String(64), nullable=False),
        sa.Column('created_at', TIME, nullable=False),
        sa.PrimaryKeyConstraint('id'),
    ),
    'push_subscription': lambda: (
        sa.Column('id', ID, nullable=False),
        sa.Column('login', KEY(64), nullable=False),
        sa.Column('endpoint', sa.Text(), nullable=False),
        sa.Column('endpoint_hash', KEY(64), nullable=False),
        sa.Column('p256dh', sa.String(100), nullable=False),
        sa.Column('auth', sa.String(32), nullable=False),
        sa.Column('lang', KEY(8), nullable=False),
        sa.Column('created_at', TIME, nullable=False),
        cascade('login', 'login_session.token'),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('login'),
        sa.UniqueConstraint('endpoint_hash'),
    ),
    'push_preference': lambda: (
        sa.Column('user_id', ID, autoincrement=False, nullable=False),
        sa.Column('show_text', sa.Boolean(), nullable=False),
        sa.Column('announcements', sa.Boolean(), nullable=False),
        sa.Column('staff', sa.Boolean(), nullable=False),
        sa.Column('quiet_from', sa.Integer(), nullable=True),
        sa.Column('quiet_until', sa.Integer(), nullable=True),
        cascade('user_id', 'user_account.id'),
        sa.PrimaryKeyConstraint('user_id'),
    ),
    'push_cursor': lambda: (
        sa.Column('ukm_id', ID, autoincrement=False, nullable=False),
        sa.Column('number', ID, nullable=False),
        sa.Column('pinned_at', TIME, nullable=True),
        cascade('ukm_id', 'ukm.id'),
        sa.PrimaryKeyConstraint('ukm_id'),
    ),
    'push_delivery': lambda: (
        sa.Column('id', ID, nullable=False),
        sa.Column('subscription_id', ID, nullable=False),
        sa.Column('tag', KEY(64), nullable=False),
        sa.Column('kind', KEY(16), nullable=False),
        sa.Column('ref', ID, nullable=False),
        sa.Column('ukm_id', ID, nullable=True),
        sa.Column('created_at', TIME, nullable=False),
        sa.Column('due_at', TIME, nullable=False),
        sa.Column('tries', sa.Integer(), nullable=False),
        sa.Column('claim', KEY(16), nullable=True),
        cascade('subscription_id', 'push_subscription.id'),
        cascade('ukm_id', 'ukm.id'),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('subscription_id', 'tag'),
    ),
}
INDEXES = {'ix_push_delivery_due': ['claim', 'due_at'], 'ix_push_delivery_ukm_id': ['ukm_id']}


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    known = sa.inspect(op.get_bind())
    for name, parts in TABLES.items():
        if not known.has_table(name):
            op.create_table(name, *parts())
    there = {each['name'] for each in sa.inspect(op.get_bind()).get_indexes('push_delivery')}
    for name, columns in INDEXES.items():
        if name not in there:
            op.create_index(name, 'push_delivery', columns)
    add_column('membership', sa.Column('push_all', sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade():
    drop_column('membership', 'push_all')
    for name in reversed(TABLES):
        op.drop_table(name, if_exists=True)
