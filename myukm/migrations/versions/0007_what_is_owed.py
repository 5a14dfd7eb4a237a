"""what students owe, computed from the items of their bills"""

import myukm.db.types

import time

from alembic import op
from flask_babel import format_decimal
from flask_babel import gettext as _
import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from myukm.db.migration_steps import add_column, drop_column
from myukm.domain.payment_api import body, owed, parser
revision = '0007'
down_revision = '0009'

# On SQLite a portion holds the write lock for some 30 ms; in the pause others get it.
PORTION, PAUSE_SECONDS = 200, 0.005
PRINTED_EACH = 5000

siswa = sa.table(
    'siswa',
    sa.column('id', sa.BigInteger()),
    sa.column('pembayaran', sa.JSON()),
    sa.column('tunggakan', myukm.db.types.Rupiah()),
    sa.column('lebih_bayar', myukm.db.types.Rupiah()),
    sa.column('lunas', sa.Boolean()),
    sa.column('status', sa.String()),
    sa.column('tidak_cocok', sa.Boolean()),
)
# Students with payments and still the default of the new column, which were not computed yet.
uncounted = (siswa.c.status == 'belum_sinkron', siswa.c.pembayaran.is_not(None))


def upgrade():
    """Works in portions. A killed upgrade continues where it stopped, so any step may be done already."""
    status = sa.String(length=16).with_variant(mysql.VARCHAR(collation='utf8mb4_bin', length=16), 'mysql')
    add_column('sync_run', sa.Column('mismatched', sa.Integer(), server_default='0', nullable=False))
    add_column('siswa', sa.Column('lebih_bayar', myukm.db.types.Rupiah(), nullable=True))
    add_column('siswa', sa.Column('status', status, server_default='belum_sinkron', nullable=False))
    add_column('siswa', sa.Column('tidak_cocok', sa.Boolean(), server_default=sa.false(), nullable=False))
    count_all()
    listed = ['search_text', 'id', 'status', 'lebih_bayar', 'tidak_cocok', 'active']
    op.create_index('ix_siswa_list', 'siswa', listed, if_not_exists=True)
    op.drop_index('ix_siswa_lunas_search', 'siswa', if_exists=True)
    op.drop_index('ix_siswa_search', 'siswa', if_exists=True)


def count_all():
    """Compute again what students owe, from their stored payments."""
    total, done = op.get_bind().scalar(sa.select(sa.func.count()).where(*uncounted)), 0
    while counted := count_some():
        if (done + counted) // PRINTED_EACH > done // PRINTED_EACH or done + counted == total:
            numbers = {'done': format_decimal(done + counted), 'total': format_decimal(total)}
            print(_("Tagihan dihitung ulang: %(done)s dari %(total)s siswa.", **numbers), flush=True)
        done += counted
        commit()


def count_some():
    """Compute the next portion of students and return how many they were."""
    query = sa.select(siswa.c.id, siswa.c.pembayaran, siswa.c.tunggakan).where(*uncounted)
    rows = op.get_bind().execute(query.order_by(siswa.c.id).limit(PORTION).with_for_update()).all()
    if rows:
        update = siswa.update().where(siswa.c.id == sa.bindparam('key'))
        op.get_bind().execute(update, [{'key': row.id, **figures(row)} for row in rows])
    return len(rows)


def figures(row):
    """Return the figures of a row's payments. If they cannot be read any more, its amount stays."""
    try:
        found = owed.owed(parser.plain(row.pembayaran))
    except body.InvalidBody:
        status = owed.verdict(1, row.tunggakan or 0)
        found = owed.Owed(row.tunggakan, None, status, tidak_cocok=True)
    return {
        'tunggakan': found.tunggakan,
        'lebih_bayar': found.lebih_bayar,
        'lunas': found.lunas,
        'status': found.status.value,
        'tidak_cocok': found.tidak_cocok,
    }


def commit():
    """Commit this portion; Alembic itself would commit only at the end of the migration."""
    context = op.get_context()
    context._transaction.commit()
    time.sleep(PAUSE_SECONDS)
    context._transaction = context.connection.begin()


def downgrade():
    op.create_index('ix_siswa_search', 'siswa', ['search_text', 'id'], if_not_exists=True)
    op.create_index('ix_siswa_lunas_search', 'siswa', ['lunas', 'search_text', 'id'], if_not_exists=True)
    op.drop_index('ix_siswa_list', 'siswa', if_exists=True)
    for name in ('tidak_cocok', 'status', 'lebih_bayar'):
        drop_column('siswa', name)
    drop_column('sync_run', 'mismatched')
