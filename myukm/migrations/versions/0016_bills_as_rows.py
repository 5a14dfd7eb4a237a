"""bills as rows; dormitory and phone in search texts"""

import time

from alembic import op
from flask_babel import format_decimal
from flask_babel import gettext as _
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from myukm.domain.payment_api import body, parser
from myukm.domain.payment_api.bill_rows import bill_rows
from myukm.models.siswa import SEARCHED, search_text
revision = '0016'
down_revision = '0015'

# On SQLite a portion holds the write lock for some 30 ms; in the pause others get it.
PORTION, PAUSE_SECONDS = 100, 0.005
PRINTED_EACH = 5000
ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
PLACES = ('unit_formal', 'kelas_formal', 'asrama_pondok', 'kamar_pondok', 'tingkat_diniyah')
AMOUNTS = ('billed', 'paid', 'remaining')
COLUMNS = ('period_id', 'kelas', 'category', 'item', *AMOUNTS)

tagihan = sa.table('tagihan', *(sa.column(name) for name in ('siswa_id', 'position', *COLUMNS)))
siswa = sa.table(
    'siswa',
    sa.column('id', ID),
    sa.column('pembayaran', sa.JSON()),
    sa.column('search_text'),
    *(sa.column(name) for name in SEARCHED),
)


def upgrade():
    """Works in portions. A killed upgrade continues where it stopped, so any step may be done already."""
    if not sa.inspect(op.get_bind()).has_table('tagihan'):
        create_table()
    op.create_index(
        'ix_tagihan_open', 'tagihan', ['category', 'period_id', 'siswa_id', 'remaining'],
        if_not_exists=True,
        sqlite_where=sa.text('remaining <> 0'), postgresql_where=sa.text('remaining <> 0'),
    )
    if op.get_bind().dialect.name == 'mysql':
        tell_places_apart()
    fill(last=op.get_bind().scalar(sa.select(sa.func.max(tagihan.c.siswa_id))) or 0)


def tell_places_apart():
    """Compare units, classes and dormitories exactly, as the other databases do."""
    changes = (f'MODIFY {name} VARCHAR(120) COLLATE utf8mb4_bin NOT NULL' for name in PLACES)
    op.execute('ALTER TABLE siswa ' + ', '.join(changes))


def create_table():
    op.create_table(
        'tagihan',
        sa.Column('siswa_id', ID, autoincrement=False, nullable=False),
        sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('period_id', key(64), nullable=False),
        sa.Column('kelas', sa.String(120), nullable=False),
        sa.Column('category', key(120), nullable=False),
        sa.Column('item', sa.String(120), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in AMOUNTS),
        sa.PrimaryKeyConstraint('siswa_id', 'position'),
        sqlite_with_rowid=False,
    )


def key(length):
    return sa.String(length).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=length), 'mysql')


def fill(last):
    """Write the bills of everybody after row `last`."""
    count = sa.select(sa.func.count()).select_from(siswa)
    total = op.get_bind().scalar(count)
    done = op.get_bind().scalar(count.where(siswa.c.id <= last))
    while rows := portion(last):
        write(rows)
        last, done = rows[-1]['id'], done + len(rows)
        if done % PRINTED_EACH < len(rows) or done == total:
            numbers = {'done': format_decimal(done), 'total': format_decimal(total)}
            print(_("Tagihan ditulis per baris: %(done)s dari %(total)s siswa.", **numbers), flush=True)
        commit()


def portion(last):
    query = sa.select(siswa).where(siswa.c.id > last).order_by(siswa.c.id).limit(PORTION)
    return op.get_bind().execute(query.with_for_update()).mappings().all()


def write(rows):
    bills = [bill for row in rows for bill in bills_of(row)]
    if bills:
        op.get_bind().execute(tagihan.insert(), bills)
    texts = [{'key': row['id'], 'text': search_text(row)} for row in rows]
    stale = [new for new, row in zip(texts, rows) if new['text'] != row['search_text']]
    if stale:
        update = siswa.update().where(siswa.c.id == sa.bindparam('key'))
        op.get_bind().execute(update.values(search_text=sa.bindparam('text')), stale)


def bills_of(row):
    """Yield the bills of a row's payments; none if they cannot be read any more."""
    try:
        found = bill_rows(parser.plain(row['pembayaran'] or []))
    except body.InvalidBody:
        return
    for position, bill in enumerate(found):
        yield {'siswa_id': row['id'], 'position': position, **dict(zip(COLUMNS, bill))}


def commit():
    """Commit this portion; Alembic itself would commit only at the end of the migration."""
    context = op.get_context()
    context._transaction.commit()
    time.sleep(PAUSE_SECONDS)
    context._transaction = context.connection.begin()


def downgrade():
    op.drop_table('tagihan', if_exists=True)
