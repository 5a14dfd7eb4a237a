"""columns and tables by the names that the program uses"""

from alembic import op
import sqlalchemy as sa
revision = '0011'
down_revision = '0007'

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


def downgrade():
    for table, names in COLUMNS.items():
        for old, new in names.items():
            rename_column(table, new, old)
    rename_table('leader_lease', 'leader')


def rename_table(old, new):
    if sa.inspect(op.get_bind()).has_table(old):
        op.rename_table(old, new)


def rename_column(table, old, new):
    """Not `op.alter_column`, which needs the column's whole type on MariaDB; all three databases
    know this statement, and none writes the table anew for it."""
    if old in {column['name'] for column in sa.inspect(op.get_bind()).get_columns(table)}:
        op.execute(f'ALTER TABLE {table} RENAME COLUMN {old} TO {new}')
