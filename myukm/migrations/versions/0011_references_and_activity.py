"""events that refer to messages and people; columns and tables by the names that the program uses"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
import myukm.db.types
revision = '0011'
down_revision = '0007'

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
COLUMNS = {
    'sync_run': {
        'chosen': 'selected_ids',
        'compared': 'compared_count',
        'trusted': 'answers_accepted',
        'moved_at': 'last_progress_at',
        'crashes': 'crash_count',
        'hidden': 'dismissed',
    },
    'sync_item': {'strikes': 'breaker_hits', 'waited': 'retry_after_seconds', 'at': 'finished_at'},
    'sync_lane': {'beat': 'heartbeat'},
    'sync_request': {'beat': 'heartbeat'},
    'leader_lease': {'beat': 'heartbeat'},
}


def upgrade():
    """Each step asks first what an upgrade that was killed has done already."""
    rename_table('leader', 'leader_lease')
    for table, names in COLUMNS.items():
        for old, new in names.items():
            rename_column(table, old, new)
    if not has_column('event', 'ref'):
        renew_events(sa.Column('ref', ID, nullable=True))


def downgrade():
    renew_events()
    for table, names in COLUMNS.items():
        for old, new in names.items():
            rename_column(table, new, old)
    rename_table('leader_lease', 'leader')


def renew_events(*more):
    """Make the log anew, empty. The counter stays: a cursor from before is answered by a `reset`."""
    op.execute('DROP TABLE IF EXISTS event')
    op.create_table(
        'event',
        sa.Column('seq', ID, autoincrement=False, nullable=False),
        sa.Column('topic', key(64), nullable=False),
        sa.Column('type', key(32), nullable=False),
        *more,
        sa.Column('data', sa.Text(), nullable=False),
        sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint('seq'),
        sa.Index('ix_event_at', 'at'),
        sa.Index('ix_event_topic_seq', 'topic', 'seq'),
    )


def key(length):
    return sa.String(length).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=length), 'mysql')


def has_column(table, name):
    inspector = sa.inspect(op.get_bind())
    return inspector.has_table(table) and name in {c['name'] for c in inspector.get_columns(table)}


def rename_table(old, new):
    if sa.inspect(op.get_bind()).has_table(old):
        op.rename_table(old, new)


def rename_column(table, old, new):
    """Not `op.alter_column`, which needs the column's whole type on MariaDB; all three databases
    know this statement, and none writes the table anew for it."""
    if has_column(table, old):
        op.execute(f'ALTER TABLE {table} RENAME COLUMN {old} TO {new}')
