"""profiles, moderation, replies, reactions and password resets; ETags of the payment API"""

import myukm.db.types

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
revision = '0002'
down_revision = '0001'


def upgrade():
    with op.batch_alter_table('siswa', schema=None) as batch_op:
        batch_op.add_column(sa.Column('etag', sa.String(length=200).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=200), 'mysql'), nullable=True))
        batch_op.add_column(sa.Column('etag_at', myukm.db.types.UTCDateTime(), nullable=True))

    with op.batch_alter_table('ukm', schema=None) as batch_op:
        batch_op.add_column(sa.Column('archived_at', myukm.db.types.UTCDateTime(), nullable=True))

    op.create_table('ukm_block',
    sa.Column('ukm_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ukm_id', 'user_id')
    )
    with op.batch_alter_table('ukm_block', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ukm_block_user_id'), ['user_id'], unique=False)

    op.create_table('ukm_pin',
    sa.Column('ukm_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['by_id'], ['user_account.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['message_id'], ['chat_message.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('ukm_id')
    )
    with op.batch_alter_table('ukm_pin', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ukm_pin_by_id'), ['by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ukm_pin_message_id'), ['message_id'], unique=False)

    op.create_table('message_report',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ukm_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('settled_at', myukm.db.types.UTCDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['message_id'], ['chat_message.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id'),
    sa.UniqueConstraint('message_id', 'user_id')
    )
    with op.batch_alter_table('message_report', schema=None) as batch_op:
        batch_op.create_index('ix_message_report_ukm_id', ['ukm_id', 'settled_at', 'message_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_message_report_user_id'), ['user_id'], unique=False)

    op.create_table('ukm_log',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('ukm_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.Column('actor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('action', sa.String(length=32).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=32), 'mysql'), nullable=False),
    sa.Column('person_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('detail', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['actor_id'], ['user_account.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['person_id'], ['user_account.id'], ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id')
    )
    with op.batch_alter_table('ukm_log', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ukm_log_actor_id'), ['actor_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ukm_log_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_ukm_log_ukm_id', ['ukm_id', 'id'], unique=False)
    op.add_column('user_account', sa.Column('photo_hash', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=True))
    op.add_column('user_account', sa.Column('deleted_at', myukm.db.types.UTCDateTime(), nullable=True))
    op.create_table('user_photo',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('digest', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('large', sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), 'mysql'), nullable=False),
    sa.Column('small', sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), 'mysql'), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id')
    )
    op.create_index('ix_user_photo_digest', 'user_photo', ['digest'], unique=False)
    op.create_table('password_reset',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('code_hash', sa.String(length=64).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=64), 'mysql'), nullable=False),
    sa.Column('expires_at', myukm.db.types.UTCDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id')
    )

    op.add_column('chat_message', sa.Column('reply_to_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
    op.add_column('chat_message', sa.Column('mentions', sa.JSON(none_as_null=True), nullable=True))
    op.add_column('membership', sa.Column('notices', sa.String(length=8).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=8), 'mysql'), server_default='all', nullable=False))
    op.create_table('chat_reaction',
    sa.Column('message_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('emoji', sa.String(length=8).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=8), 'mysql'), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['chat_message.id'], ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('message_id', 'user_id', 'emoji')
    )
    op.create_index('ix_chat_reaction_user_id', 'chat_reaction', ['user_id'], unique=False)


def downgrade():
    # Not in batch mode: it would recreate the tables, and SQLite would delete the rows that refer to them.
    op.drop_table('chat_reaction')
    op.drop_column('membership', 'notices')
    op.drop_column('chat_message', 'mentions')
    op.drop_column('chat_message', 'reply_to_id')
    op.drop_table('password_reset')
    op.drop_table('user_photo')
    op.drop_column('user_account', 'deleted_at')
    op.drop_column('user_account', 'photo_hash')
    op.drop_table('ukm_log')
    op.drop_table('message_report')
    op.drop_table('ukm_pin')
    op.drop_table('ukm_block')
    op.drop_column('ukm', 'archived_at')
    op.drop_column('siswa', 'etag_at')
    op.drop_column('siswa', 'etag')
