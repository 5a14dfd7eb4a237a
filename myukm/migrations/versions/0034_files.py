"""files of the chat"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from myukm.db.migration_steps import add_column, drop_column
import myukm.db.types
revision = '0034'
down_revision = '0033'

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = myukm.db.types.UTCDateTime()
INDEXES = {
    'ix_chat_file_message_id': ['message_id', 'position'],
    'ix_chat_file_ukm_id': ['ukm_id', 'size'],
    'ix_chat_file_user_id': ['user_id', 'size'],
    'ix_chat_file_digest': ['digest'],
    'ix_chat_file_thumbnail': ['thumbnail'],
}


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    if not sa.inspect(op.get_bind()).has_table('chat_file'):
        create_table()
    there = {each['name'] for each in sa.inspect(op.get_bind()).get_indexes('chat_file')}
    for name, columns in INDEXES.items():
        if name not in there:
            op.create_index(name, 'chat_file', columns)
    add_column('chat_message', sa.Column('file_count', sa.Integer(), server_default='0', nullable=False))


def create_table():
    op.create_table(
        'chat_file',
        sa.Column('id', ID, nullable=False),
        sa.Column('ukm_id', ID, nullable=False),
        sa.Column('user_id', ID, nullable=False),
        sa.Column('message_id', ID, nullable=True),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('client_id', key(64), nullable=False),
        sa.Column('name', sa.String(120), nullable=False),
        sa.Column('type', key(100), nullable=False),
        sa.Column('size', sa.BigInteger(), nullable=False),
        sa.Column('width', sa.Integer(), nullable=True),
        sa.Column('height', sa.Integer(), nullable=True),
        sa.Column('digest', key(64), nullable=False),
        sa.Column('thumbnail', key(64), nullable=True),
        sa.Column('created_at', TIME, nullable=False),
        sa.Column('stored_at', TIME, nullable=True),
        sa.ForeignKeyConstraint(['message_id'], ['chat_message.id'], ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id'),
        sa.UniqueConstraint('ukm_id', 'user_id', 'client_id'),
        sqlite_autoincrement=True,
    )


def key(length):
    return sa.String(length).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=length), 'mysql')


def downgrade():
    op.drop_table('chat_file', if_exists=True)
    drop_column('chat_message', 'file_count')
