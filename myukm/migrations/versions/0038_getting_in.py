"""join links, a directory of UKMs, requests to join, when announcements were read"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from myukm.db.migration_steps import add_column, drop_column
import myukm.db.types
from myukm.models.ukm import search_text
revision = '0038'
down_revision = '0037'

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = myukm.db.types.UTCDateTime()


def key(length):
    return sa.String(length).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=length), 'mysql')


COLUMNS = {
    'ukm': {
        'link_token': (key(32), True, None),
        'link_until': (TIME, True, None),
        'is_listed': (sa.Boolean(), False, sa.false()),
        'intro': (sa.String(200), False, ''),
        'search_text': (key(480), False, ''),
    },
    'membership': {'read_at': (TIME, True, None)},
}


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    there = sa.inspect(op.get_bind())
    for table, columns in COLUMNS.items():
        for name, (kind, nullable, default) in columns.items():
            add_column(table, sa.Column(name, kind, nullable=nullable, server_default=default))
    if not has_index('ukm', 'ix_ukm_link_token'):
        op.create_index('ix_ukm_link_token', 'ukm', ['link_token'], unique=True)
    if not there.has_table('join_request'):
        create_table()
    if not has_index('join_request', 'ix_join_request_ukm'):
        op.create_index('ix_join_request_ukm', 'join_request', ['ukm_id', 'refused_at', 'at'])
    fill_search_texts()


def has_index(table, name):
    return name in {each['name'] for each in sa.inspect(op.get_bind()).get_indexes(table)}


def create_table():
    op.create_table(
        'join_request',
        sa.Column('user_id', ID, autoincrement=False, nullable=False),
        sa.Column('ukm_id', ID, autoincrement=False, nullable=False),
        sa.Column('at', TIME, nullable=False),
        sa.Column('refused_at', TIME, nullable=True),
        sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['ukm_id'], ['ukm.id'], ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('user_id', 'ukm_id'),
    )


def fill_search_texts():
    ukm = sa.table('ukm', *map(sa.column, ('id', 'name', 'code', 'intro', 'search_text')))
    for row in op.get_bind().execute(sa.select(ukm)).all():
        text = search_text(row.name, row.code, row.intro)
        op.get_bind().execute(ukm.update().where(ukm.c.id == row.id).values(search_text=text))


def downgrade():
    op.drop_table('join_request', if_exists=True)
    op.drop_index('ix_ukm_link_token', 'ukm', if_exists=True)
    for table, columns in COLUMNS.items():
        for name in columns:
            drop_column(table, name)
