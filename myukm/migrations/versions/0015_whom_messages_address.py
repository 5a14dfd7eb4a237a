"""an index of deleted messages, which do not count as unread; the addressees of each message"""

from alembic import op
import sqlalchemy as sa
revision = '0015'
down_revision = '0014'

ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TABLE, INDEX, DELETED = 'chat_mention', 'ix_chat_mention_message_id', 'ix_chat_message_deleted_at'
PORTION = 1000

message = sa.table(
    'chat_message',
    sa.column('id', ID), sa.column('user_id', ID), sa.column('reply_to_id', ID),
    sa.column('mentions', sa.JSON(none_as_null=True)), sa.column('deleted_at'),
)
quoted = message.alias()
account = sa.table('user_account', sa.column('id', ID))
mention = sa.table(TABLE, sa.column('user_id', ID), sa.column('message_id', ID))


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    if not has_index('chat_message', DELETED):
        op.create_index(DELETED, 'chat_message', ['ukm_id', 'deleted_at', 'number'])
    if not sa.inspect(op.get_bind()).has_table(TABLE):
        op.create_table(
            TABLE,
            sa.Column('user_id', ID, autoincrement=False, nullable=False),
            sa.Column('message_id', ID, nullable=False),
            sa.ForeignKeyConstraint(['message_id'], ['chat_message.id'], ondelete='CASCADE'),
            sa.ForeignKeyConstraint(['user_id'], ['user_account.id'], ondelete='CASCADE'),
            sa.PrimaryKeyConstraint('user_id', 'message_id'),
        )
    if not has_index(TABLE, INDEX):
        op.create_index(INDEX, TABLE, ['message_id'])
    fill()


def fill():
    connection, last = op.get_bind(), 0
    connection.execute(mention.delete())
    people = set(connection.scalars(sa.select(account.c.id)))
    query = (
        sa.select(message.c.id, message.c.user_id, message.c.mentions, quoted.c.user_id)
        .select_from(message.outerjoin(quoted, quoted.c.id == message.c.reply_to_id))
        .where(message.c.mentions.is_not(None) | quoted.c.id.is_not(None))
        .where(message.c.deleted_at.is_(None))
        .order_by(message.c.id)
        .limit(PORTION)
    )
    while rows := connection.execute(query.where(message.c.id > last)).all():
        last = rows[-1][0]
        found = [
            {'user_id': person, 'message_id': key}
            for key, author, named, answered in rows
            for person in ({*(named or ()), answered} & people) - {author}
        ]
        if found:
            connection.execute(mention.insert(), found)


def downgrade():
    op.drop_table(TABLE, if_exists=True)
    # MariaDB needs an index for the foreign key; other indexes of ukm_id remain.
    op.drop_index(DELETED, 'chat_message', if_exists=True)


def has_index(table, name):
    return name in {each['name'] for each in sa.inspect(op.get_bind()).get_indexes(table)}
