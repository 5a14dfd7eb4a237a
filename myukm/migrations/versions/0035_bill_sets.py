"""in which periods and categories a student has bills; the open bills by student"""

from collections import defaultdict
import time

from alembic import op
from flask_babel import format_decimal
from flask_babel import gettext as _
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from myukm.db.migration_steps import add_column, drop_column

from myukm.domain.siswa import bill_sets
revision = '0035'
down_revision = '0034'

# On SQLite a portion holds the write lock for some 30 ms; in the pause others get it.
PORTION, PAUSE_SECONDS = 200, 0.005
PRINTED_EACH = 5000
LISTED = [
    'search_text', 'id', 'status', 'lebih_bayar', 'tidak_cocok', 'active', 'tunggakan', 'synced_at',
    'unit_formal', 'kelas_formal', 'asrama_pondok', 'kamar_pondok', 'tingkat_diniyah', 'idperson',
]
OPEN = {'sqlite_where': sa.text('remaining <> 0'), 'postgresql_where': sa.text('remaining <> 0')}
BY_STUDENT = ['siswa_id', 'period_id', 'category', 'remaining']
BY_CATEGORY = ['category', 'period_id', 'siswa_id', 'remaining']

siswa = sa.table('siswa', sa.column('id'), sa.column('bill_set'))
tagihan = sa.table('tagihan', *map(sa.column, ('siswa_id', 'period_id', 'category')))
bill_set = sa.table('bill_set', *map(sa.column, ('id', 'period_id', 'category')))


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    inspector = sa.inspect(op.get_bind())
    if not inspector.has_table('bill_set'):
        create_table()
    add_column('siswa', sa.Column('bill_set', sa.BigInteger(), nullable=True))
    replace_index('tagihan', 'ix_tagihan_open', 'ix_tagihan_open_bills', BY_STUDENT, **OPEN)
    fill()
    if op.get_bind().dialect.name == 'sqlite':
        replace_index('siswa', 'ix_siswa_list_whole', 'ix_siswa_list_with_sets', [*LISTED, 'bill_set'])


def create_table():
    op.create_table(
        'bill_set',
        sa.Column('id', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('period_id', key(64), nullable=False),
        sa.Column('category', key(120), nullable=False),
        sa.PrimaryKeyConstraint('id', 'period_id', 'category'),
    )


def key(length):
    return sa.String(length).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=length), 'mysql')


def replace_index(table, old, new, columns, **options):
    there = {each['name'] for each in sa.inspect(op.get_bind()).get_indexes(table)}
    if new not in there:
        op.create_index(new, table, columns, **options)
    if old in there:
        op.drop_index(old, table)


def fill():
    """Write the sets of everybody who has bills and no set yet, in portions."""
    last, done = 0, 0
    total = op.get_bind().scalar(sa.select(sa.func.count()).select_from(siswa))
    while ids := portion(last):
        write(ids)
        last, done = ids[-1], done + len(ids)
        if done % PRINTED_EACH < len(ids) or done == total:
            numbers = {'done': format_decimal(done), 'total': format_decimal(total)}
            print(_("Kelompok tagihan ditulis: %(done)s dari %(total)s siswa.", **numbers), flush=True)
        commit()


def portion(last):
    query = sa.select(siswa.c.id).where(siswa.c.id > last).order_by(siswa.c.id).limit(PORTION)
    return op.get_bind().scalars(query.with_for_update()).all()


def write(ids):
    query = sa.select(tagihan).where(tagihan.c.siswa_id.between(ids[0], ids[-1])).distinct()
    students = defaultdict(list)
    for student, period, category in op.get_bind().execute(query):
        students[student].append((period, '', category))
    found = {student: bill_sets.of(bills) for student, bills in students.items()}
    there = set(op.get_bind().scalars(sa.select(bill_set.c.id).where(bill_set.c.id.in_(set(found.values())))))
    sets = {found[one]: {(p, c) for p, _class, c in bills} for one, bills in students.items()}
    rows = [
        {'id': number, 'period_id': period, 'category': category}
        for number, kinds in sets.items() if number not in there for period, category in kinds
    ]
    if rows:
        op.get_bind().execute(bill_set.insert(), rows)
    if found:
        update = siswa.update().where(siswa.c.id == sa.bindparam('student'))
        values = [{'student': student, 'number': number} for student, number in found.items()]
        op.get_bind().execute(update.values(bill_set=sa.bindparam('number')), values)


def commit():
    """Commit this portion; Alembic itself would commit only at the end of the migration."""
    context = op.get_context()
    context._transaction.commit()
    time.sleep(PAUSE_SECONDS)
    context._transaction = context.connection.begin()


def downgrade():
    replace_index('tagihan', 'ix_tagihan_open_bills', 'ix_tagihan_open', BY_CATEGORY, **OPEN)
    if op.get_bind().dialect.name == 'sqlite':
        replace_index('siswa', 'ix_siswa_list_with_sets', 'ix_siswa_list_whole', LISTED)
    drop_column('siswa', 'bill_set')
    op.drop_table('bill_set', if_exists=True)
