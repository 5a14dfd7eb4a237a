"""search terms of chat messages, and the full-text index of the database over them"""

import json

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from myukm.db.migration_steps import add_column, drop_column
from myukm.models.search_terms import search_text
revision = '0030'
down_revision = '0029'

TABLE, COLUMN, INDEX, FTS = 'chat_message', 'search_text', 'ix_chat_message_search', 'chat_search'
PORTION = 1000
TERMS = sa.Text().with_variant(mysql.TEXT(charset='ascii', collation='ascii_bin'), 'mysql')
MAKE_INDEX = {
    'postgresql': f"CREATE INDEX {INDEX} ON {TABLE} USING gin"
    f" (array_to_tsvector(string_to_array(btrim({COLUMN}), ' '))) WITH (gin_pending_list_limit = 256)",
    'mysql': f'CREATE FULLTEXT INDEX {INDEX} ON {TABLE} ({COLUMN})',
}
FROM_JSON = f"""
    UPDATE {TABLE} JOIN JSON_TABLE(:found, '$[*]' COLUMNS (
        id BIGINT PATH '$[0]', terms LONGTEXT PATH '$[1]'
    )) found USING (id) SET {TABLE}.{COLUMN} = found.terms"""
UNINDEX = f"INSERT INTO {FTS}({FTS}, rowid, {COLUMN}) VALUES ('delete', old.id, old.{COLUMN});"
INDEX_ROW = f"INSERT INTO {FTS}(rowid, {COLUMN}) VALUES (new.id, new.{COLUMN});"
TRIGGERS = {
    f'{FTS}_insert': f'AFTER INSERT ON {TABLE} BEGIN {INDEX_ROW} END',
    f'{FTS}_delete': f'AFTER DELETE ON {TABLE} BEGIN {UNINDEX} END',
    f'{FTS}_update': f'AFTER UPDATE OF {COLUMN} ON {TABLE} BEGIN {UNINDEX} {INDEX_ROW} END',
}

message = sa.table(
    TABLE, *map(sa.column, ('id', 'ukm_id', 'user_id', 'body', 'deleted_at', COLUMN))
)


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    add_column(TABLE, sa.Column(COLUMN, TERMS, nullable=False, server_default=''))
    fill()
    if op.get_bind().dialect.name == 'sqlite':
        make_fts()
    elif not has_index():
        op.execute(MAKE_INDEX[op.get_bind().dialect.name])
    if op.get_bind().dialect.name == 'postgresql':
        op.execute(f'ANALYZE {TABLE}')  # else searches are planned badly until the next autovacuum


def fill():
    """Write the terms of messages that have none: every other message that is not deleted has at least one."""
    connection, last = op.get_bind(), 0
    query = (
        sa.select(message.c.id, message.c.ukm_id, message.c.user_id, message.c.body)
        .where(message.c.deleted_at.is_(None), message.c.search_text == '')
        .order_by(message.c.id)
        .limit(PORTION)
    )
    while rows := connection.execute(query.where(message.c.id > last)).all():
        last = rows[-1].id
        write(connection, [(key, search_text(*row)) for key, *row in rows])


def write(connection, found):
    """Write the terms of messages; as JSON to MariaDB, whose driver would send one statement per row."""
    if connection.dialect.name == 'mysql':
        connection.execute(sa.text(FROM_JSON), {'found': json.dumps(found)})
        return
    update = message.update().where(message.c.id == sa.bindparam('key'))
    connection.execute(update, [{'key': key, COLUMN: terms} for key, terms in found])


def make_fts():
    """Make the full-text table, which reads the terms from the column, and triggers that keep it current."""
    drop_fts()
    op.execute(
        f"CREATE VIRTUAL TABLE {FTS} USING fts5({COLUMN}, content='{TABLE}', content_rowid='id',"
        " tokenize=\"ascii tokenchars '_'\", detail=none, columnsize=0)"
    )
    op.execute(f"INSERT INTO {FTS}({FTS}) VALUES ('rebuild')")
    for name, rule in TRIGGERS.items():
        op.execute(f'CREATE TRIGGER {name} {rule}')


def drop_fts():
    for name in TRIGGERS:
        op.execute(f'DROP TRIGGER IF EXISTS {name}')
    op.execute(f'DROP TABLE IF EXISTS {FTS}')


def has_index():
    return INDEX in {each['name'] for each in sa.inspect(op.get_bind()).get_indexes(TABLE)}


def downgrade():
    if op.get_bind().dialect.name == 'sqlite':
        drop_fts()
    else:
        op.drop_index(INDEX, TABLE, if_exists=True)
    drop_column(TABLE, COLUMN)
