"""events that refer to messages and people; one table of activity; columns renamed as in the program"""

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
BATCH = 5_000
EMPTY = sa.literal('')


def raw(name, *columns):
    return sa.table(name, sa.column('id'), *map(sa.column, columns))


AUDIT = raw('audit', 'at', 'actor', 'actor_id', 'action', 'subject')
UKM_LOG = raw('ukm_log', 'ukm_id', 'at', 'actor_id', 'action', 'person_id', 'detail')
SYNC_ACTION = raw('sync_action', 'run_id', 'at', 'code', 'actor')
ACTIVITY = raw(
    'activity', 'at', 'audited', 'actor_id', 'actor_name', 'action', 'ukm_id', 'run_id', 'person_id',
    'subject', 'detail',
)


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    rename_table('leader', 'leader_lease')
    for table, names in COLUMNS.items():
        for old, new in names.items():
            rename_column(table, old, new)
    if not has_column('event', 'ref'):
        renew_events(sa.Column('ref', ID, nullable=True))
    index_events()
    merge_trails()


def downgrade():
    split_activity()
    renew_events()
    index_events()
    for table, names in COLUMNS.items():
        for old, new in names.items():
            rename_column(table, new, old)
    rename_table('leader_lease', 'leader')


def merge_trails():
    """Copy the three old tables, each in its order, then drop them. While `sync_action`, which is dropped
    first, exists, an earlier copy may be incomplete and is made again."""
    if has_table('sync_action'):
        create_activity()
        copy(AUDIT, ACTIVITY, audited=sa.true(), at=AUDIT.c.at, actor_id=AUDIT.c.actor_id,
             actor_name=AUDIT.c.actor, action=AUDIT.c.action, subject=AUDIT.c.subject, detail=EMPTY)
        copy(UKM_LOG, ACTIVITY, audited=sa.false(), ukm_id=UKM_LOG.c.ukm_id, at=UKM_LOG.c.at,
             actor_id=UKM_LOG.c.actor_id, action=sa.literal('unit.') + UKM_LOG.c.action,
             person_id=UKM_LOG.c.person_id, subject=EMPTY, detail=UKM_LOG.c.detail)
        copy(SYNC_ACTION, ACTIVITY, audited=sa.false(), run_id=SYNC_ACTION.c.run_id, at=SYNC_ACTION.c.at,
             actor_name=SYNC_ACTION.c.actor, action=sa.literal('sync.') + SYNC_ACTION.c.code,
             subject=EMPTY, detail=EMPTY)
    for name in ('sync_action', 'ukm_log', 'audit'):
        op.execute(f'DROP TABLE IF EXISTS {name}')


def split_activity():
    """Copy each row to the old tables that list it: an audited action on a run goes to two of them."""
    if not has_table('activity'):
        return
    create_trails()
    verb = sa.func.substr(ACTIVITY.c.action, len('unit.') + 1)  # or `sync.`
    copy(ACTIVITY, AUDIT, ACTIVITY.c.audited, at=ACTIVITY.c.at, actor_id=ACTIVITY.c.actor_id,
         actor=ACTIVITY.c.actor_name, action=ACTIVITY.c.action, subject=ACTIVITY.c.subject)
    copy(ACTIVITY, UKM_LOG, ACTIVITY.c.ukm_id.is_not(None), ukm_id=ACTIVITY.c.ukm_id, at=ACTIVITY.c.at,
         actor_id=ACTIVITY.c.actor_id, action=verb, person_id=ACTIVITY.c.person_id, detail=ACTIVITY.c.detail)
    copy(ACTIVITY, SYNC_ACTION, ACTIVITY.c.run_id.is_not(None), run_id=ACTIVITY.c.run_id, at=ACTIVITY.c.at,
         code=verb, actor=ACTIVITY.c.actor_name)
    op.drop_table('activity')


def copy(source, target, which=sa.true(), **values):
    """Insert `values` of the rows of `source` into `target`, a portion at a time, in their order."""
    last = 0
    while end := op.get_bind().scalar(portion_end(source, last)):
        rows = sa.select(*values.values()).where(source.c.id > last, source.c.id <= end, which)
        op.execute(target.insert().from_select(list(values), rows.order_by(source.c.id)))
        last = end


def portion_end(source, last):
    portion = sa.select(source.c.id).where(source.c.id > last).order_by(source.c.id).limit(BATCH)
    return sa.select(sa.func.max(portion.subquery().c.id))


def create_activity():
    op.execute('DROP TABLE IF EXISTS activity')
    op.create_table(
        'activity',
        sa.Column('id', ID, nullable=False),
        sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
        sa.Column('audited', sa.Boolean(), nullable=False),
        sa.Column('actor_id', ID, nullable=True),
        sa.Column('actor_name', sa.String(120), nullable=True),
        sa.Column('action', key(64), nullable=False),
        sa.Column('ukm_id', ID, nullable=True),
        sa.Column('run_id', ID, nullable=True),
        sa.Column('person_id', ID, nullable=True),
        sa.Column('subject', sa.String(200), nullable=False),
        sa.Column('detail', sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['run_id'], ['sync_run.id'], ondelete='SET NULL'),
        sa.PrimaryKeyConstraint('id'),
        sa.Index('ix_activity_at', 'at'),
        sa.Index('ix_activity_audited', 'audited', 'id'),
        sa.Index('ix_activity_actor', 'actor_id'),
        sa.Index('ix_activity_person', 'person_id'),
        sa.Index('ix_activity_ukm', 'ukm_id', 'id'),
        sa.Index('ix_activity_run', 'run_id', 'id'),
    )


def create_trails():
    for name in ('sync_action', 'ukm_log', 'audit'):
        op.execute(f'DROP TABLE IF EXISTS {name}')
    op.create_table(
        'audit',
        sa.Column('id', ID, nullable=False),
        sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
        sa.Column('actor', sa.String(120), nullable=False),
        sa.Column('action', key(64), nullable=False),
        sa.Column('subject', sa.String(200), nullable=False),
        sa.Column('actor_id', ID, nullable=True),
        sa.PrimaryKeyConstraint('id'),
        sa.Index('ix_audit_at', 'at'),
        sa.Index('ix_audit_actor', 'actor_id'),
    )
    op.create_table(
        'ukm_log',
        sa.Column('id', ID, nullable=False),
        sa.Column('ukm_id', ID, nullable=False),
        sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
        sa.Column('actor_id', ID, nullable=True),
        sa.Column('action', key(32), nullable=False),
        sa.Column('person_id', ID, nullable=True),
        sa.Column('detail', sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(['actor_id'], ['user_account.id'], ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['person_id'], ['user_account.id'], ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        sa.Index('ix_ukm_log_actor_id', 'actor_id'),
        sa.Index('ix_ukm_log_person_id', 'person_id'),
        sa.Index('ix_ukm_log_ukm_id', 'ukm_id', 'id'),
    )
    op.create_table(
        'sync_action',
        sa.Column('id', ID, nullable=False),
        sa.Column('run_id', ID, nullable=False),
        sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
        sa.Column('code', key(32), nullable=False),
        sa.Column('actor', sa.String(120), nullable=True),
        sa.ForeignKeyConstraint(['run_id'], ['sync_run.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        sa.Index('ix_sync_action_run', 'run_id', 'id'),
    )


def renew_events(*more):
    """Recreate the log, empty. The counter stays, so an older cursor is answered by a `reset`."""
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
    )


def index_events():
    op.create_index('ix_event_at', 'event', ['at'], if_not_exists=True)
    op.create_index('ix_event_topic_seq', 'event', ['topic', 'seq'], if_not_exists=True)


def key(length):
    return sa.String(length).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=length), 'mysql')


def has_table(name):
    return sa.inspect(op.get_bind()).has_table(name)


def has_column(table, name):
    return has_table(table) and name in {c['name'] for c in sa.inspect(op.get_bind()).get_columns(table)}


def rename_table(old, new):
    if has_table(old):
        op.rename_table(old, new)


def rename_column(table, old, new):
    """Not by `op.alter_column`, which needs the column's full type on MariaDB. All three databases
    know this statement, and none rewrites the table for it."""
    if has_column(table, old):
        op.execute(f'ALTER TABLE {table} RENAME COLUMN {old} TO {new}')
