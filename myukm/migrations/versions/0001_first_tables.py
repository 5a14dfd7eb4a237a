"""first tables"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
revision = '0001'
down_revision = None


def upgrade():
    op.create_table('alert',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('open', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=True),
    sa.Column('code', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('level', sa.String(length=16).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=16), 'mysql'), nullable=False),
    sa.Column('message', sa.Text(), nullable=False),
    sa.Column('since', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('resolved_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('open')
    )
    op.create_table('audit',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('actor', sa.String(length=120), nullable=False),
    sa.Column('action', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('subject', sa.String(length=200), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index('ix_audit_at', ['at'], unique=False)

    op.create_table('event',
    sa.Column('seq', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('topic', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('type', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
    sa.Column('data', sa.Text(), nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('seq')
    )
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.create_index('ix_event_at', ['at'], unique=False)
        batch_op.create_index('ix_event_topic_seq', ['topic', 'seq'], unique=False)

    op.create_table('event_counter',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('value', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id')
    )
    op.execute("INSERT INTO event_counter (id, value) VALUES (1, 0)")
    op.create_table('invitation',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('nim', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('role', sa.String(length=16).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=16), 'mysql'), nullable=False),
    sa.Column('code_hash', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('created_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('nim')
    )
    op.create_table('leader',
    sa.Column('name', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
    sa.Column('holder', sa.String(length=120), nullable=False),
    sa.Column('beat', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('name')
    )
    op.execute("INSERT INTO leader (name, holder, beat) VALUES ('watch', '', 0)")
    op.create_table('payment_change',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('dry_run', sa.Boolean(), nullable=False),
    sa.Column('idperson', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('period_id', sa.String(length=64), nullable=False),
    sa.Column('field', sa.String(length=255), nullable=False),
    sa.Column('old', sa.String(length=200), nullable=True),
    sa.Column('new', sa.String(length=200), nullable=True),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('payment_change', schema=None) as batch_op:
        batch_op.create_index('ix_payment_change_at', ['at'], unique=False)
        batch_op.create_index('ix_payment_change_idperson', ['idperson', 'id'], unique=False)
        batch_op.create_index('ix_payment_change_run', ['run_id', 'idperson', 'id'], unique=False)

    op.create_table('siswa',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('idperson', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('nama', sa.String(length=160), nullable=False),
    sa.Column('gender', sa.String(length=16), nullable=False),
    sa.Column('lahirtempat', sa.String(length=120), nullable=False),
    sa.Column('lahirtanggal', sa.String(length=32), nullable=False),
    sa.Column('phone', sa.String(length=32), nullable=False),
    sa.Column('unit_formal', sa.String(length=120), nullable=False),
    sa.Column('kelas_formal', sa.String(length=120), nullable=False),
    sa.Column('asrama_pondok', sa.String(length=120), nullable=False),
    sa.Column('kamar_pondok', sa.String(length=120), nullable=False),
    sa.Column('tingkat_diniyah', sa.String(length=120), nullable=False),
    sa.Column('kelas_diniyah', sa.String(length=120), nullable=False),
    sa.Column('search_text', sa.String(length=480).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=480), 'mysql'), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('pembayaran', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('saldo', myukm.db.types.Rupiah(), nullable=True),
    sa.Column('tunggakan', myukm.db.types.Rupiah(), nullable=True),
    sa.Column('lunas', sa.Boolean(), nullable=True),
    sa.Column('digest', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=True),
    sa.Column('synced_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('idperson')
    )
    with op.batch_alter_table('siswa', schema=None) as batch_op:
        batch_op.create_index('ix_siswa_lunas_search', ['lunas', 'search_text', 'id'], unique=False)
        batch_op.create_index('ix_siswa_search', ['search_text', 'id'], unique=False)

    op.create_table('ukm',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
    sa.Column('join_code', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('description', sa.Text(), nullable=False),
    sa.Column('last_number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('code'),
    sa.UniqueConstraint('join_code')
    )
    op.create_table('user_account',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('nim', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('role', sa.String(length=16).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=16), 'mysql'), nullable=False),
    sa.Column('password_hash', sa.String(length=255), nullable=False),
    sa.Column('blocked_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.Column('last_seen_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.Column('created_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('nim')
    )
    op.create_table('chat_message',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ukm_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('client_id', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('created_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('edited_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.Column('deleted_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.Column('published_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('ukm_id', 'number'),
    sa.UniqueConstraint('ukm_id', 'user_id', 'client_id')
    )
    with op.batch_alter_table('chat_message', schema=None) as batch_op:
        batch_op.create_index('ix_chat_message_published_at', ['published_at', 'ukm_id'], unique=False)
        batch_op.create_index('ix_chat_message_ukm_id', ['ukm_id', 'id'], unique=False)
        batch_op.create_index('ix_chat_message_user_id', ['user_id', 'id'], unique=False)

    op.create_table('login_session',
    sa.Column('token', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('token')
    )
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_login_session_user_id'), ['user_id'], unique=False)

    op.create_table('membership',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ukm_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('is_admin', sa.Boolean(), nullable=False),
    sa.Column('muted_until', myukm.db.types.UTCDateTime(), nullable=True),
    sa.Column('read_number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('joined_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('ukm_id', 'user_id')
    )
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_membership_user_id'), ['user_id'], unique=False)

    op.create_table('sync_run',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('live', sa.Integer(), nullable=True),
    sa.Column('status', sa.String(length=16).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=16), 'mysql'), nullable=False),
    sa.Column('hidden', sa.Boolean(), nullable=False),
    sa.Column('dry_run', sa.Boolean(), nullable=False),
    sa.Column('parent_run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('total', sa.Integer(), nullable=False),
    sa.Column('success', sa.Integer(), nullable=False),
    sa.Column('unchanged', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('cancelled', sa.Integer(), nullable=False),
    sa.Column('chosen', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('failed_code', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=True),
    sa.Column('compared', sa.Integer(), nullable=False),
    sa.Column('trusted', sa.Boolean(), nullable=False),
    sa.Column('pruned', sa.Boolean(), nullable=False),
    sa.Column('dispatched', sa.Boolean(), nullable=False),
    sa.Column('crashes', sa.Integer(), nullable=False),
    sa.Column('moved_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('reason', sa.String(length=500), nullable=True),
    sa.Column('reason_code', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=True),
    sa.Column('started_by', sa.String(length=120), nullable=True),
    sa.Column('started_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('started_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('finished_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['parent_run_id'], ['sync_run.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['started_by_id'], ['user_account.id'], ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('live')
    )
    op.create_table('sync_action',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('code', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
    sa.Column('actor', sa.String(length=120), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['sync_run.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('sync_action', schema=None) as batch_op:
        batch_op.create_index('ix_sync_action_run', ['run_id', 'id'], unique=False)

    op.create_table('sync_item',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('idperson', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('status', sa.String(length=16).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=16), 'mysql'), nullable=False),
    sa.Column('lane_id', sa.String(length=36).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=36), 'mysql'), nullable=True),
    sa.Column('code', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=True),
    sa.Column('message', sa.String(length=300), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('strikes', sa.Integer(), nullable=False),
    sa.Column('waited', sa.Integer(), nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['run_id'], ['sync_run.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('run_id', 'idperson')
    )
    with op.batch_alter_table('sync_item', schema=None) as batch_op:
        batch_op.create_index('ix_sync_item_run_status', ['run_id', 'status', 'id'], unique=False)

    op.create_table('sync_lane',
    sa.Column('id', sa.String(length=36).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=36), 'mysql'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('worker', sa.String(length=120), nullable=False),
    sa.Column('beat', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('started_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['sync_run.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('sync_lane', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sync_lane_run_id'), ['run_id'], unique=False)

    op.create_table('sync_sample',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('processed', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['sync_run.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('sync_sample', schema=None) as batch_op:
        batch_op.create_index('ix_sync_sample_run_at', ['run_id', 'at'], unique=False)

    op.create_table('sync_traffic',
    sa.Column('lane_id', sa.String(length=36).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=36), 'mysql'), nullable=False),
    sa.Column('run_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('requests', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('retries', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('limited', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('received', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('latency', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['run_id'], ['sync_run.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('lane_id')
    )
    with op.batch_alter_table('sync_traffic', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sync_traffic_run_id'), ['run_id'], unique=False)


def downgrade():
    with op.batch_alter_table('sync_traffic', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sync_traffic_run_id'))

    op.drop_table('sync_traffic')
    with op.batch_alter_table('sync_sample', schema=None) as batch_op:
        batch_op.drop_index('ix_sync_sample_run_at')

    op.drop_table('sync_sample')
    with op.batch_alter_table('sync_lane', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sync_lane_run_id'))

    op.drop_table('sync_lane')
    with op.batch_alter_table('sync_item', schema=None) as batch_op:
        batch_op.drop_index('ix_sync_item_run_status')

    op.drop_table('sync_item')
    with op.batch_alter_table('sync_action', schema=None) as batch_op:
        batch_op.drop_index('ix_sync_action_run')

    op.drop_table('sync_action')
    op.drop_table('sync_run')
    with op.batch_alter_table('membership', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_membership_user_id'))

    op.drop_table('membership')
    with op.batch_alter_table('login_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_login_session_user_id'))

    op.drop_table('login_session')
    with op.batch_alter_table('chat_message', schema=None) as batch_op:
        batch_op.drop_index('ix_chat_message_user_id')
        batch_op.drop_index('ix_chat_message_ukm_id')
        batch_op.drop_index('ix_chat_message_published_at')

    op.drop_table('chat_message')
    op.drop_table('user_account')
    op.drop_table('ukm')
    with op.batch_alter_table('siswa', schema=None) as batch_op:
        batch_op.drop_index('ix_siswa_search')
        batch_op.drop_index('ix_siswa_lunas_search')

    op.drop_table('siswa')
    with op.batch_alter_table('payment_change', schema=None) as batch_op:
        batch_op.drop_index('ix_payment_change_run')
        batch_op.drop_index('ix_payment_change_idperson')
        batch_op.drop_index('ix_payment_change_at')

    op.drop_table('payment_change')
    op.drop_table('leader')
    op.drop_table('invitation')
    op.drop_table('event_counter')
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.drop_index('ix_event_topic_seq')
        batch_op.drop_index('ix_event_at')

    op.drop_table('event')
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_at')

    op.drop_table('audit')
    op.drop_table('alert')
