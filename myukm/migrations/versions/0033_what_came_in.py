"""the journal of what is owed and paid, with what is known as its opening balance; closed days"""

from datetime import datetime

from alembic import op
import sqlalchemy as sa
from myukm.db.types import Id, key_type
from myukm.i18n import campus_timezone
revision = '0033'
down_revision = '0032'

AMOUNTS = ('owed', 'overpaid', 'paid', 'received', 'corrected', 'lost')
WHERE = ('day', 'unit', 'category')


def upgrade():
    """Skips the steps that a killed upgrade has already done."""
    there = sa.inspect(op.get_bind()).get_table_names()
    if 'payment_journal' not in there:
        op.create_table(
            'payment_journal',
            sa.Column('id', Id, primary_key=True),
            *where(),
            *amounts(),
            sa.Column('closed', sa.Boolean(), nullable=False, server_default=sa.false()),
        )
    op.create_index(
        'ix_payment_journal_open', 'payment_journal', ['closed', 'day'], if_not_exists=True
    )
    if 'daily_balance' not in there:
        op.create_table('daily_balance', *where(), *amounts(), sa.PrimaryKeyConstraint(*WHERE))
    if 'closed_day' not in there:
        op.create_table('closed_day', sa.Column('day', key_type(10), primary_key=True))
    if 'vanished_bill' not in there:
        op.create_table(
            'vanished_bill',
            sa.Column('siswa_id', Id, autoincrement=False, nullable=False),
            sa.Column('period_id', key_type(64), nullable=False),
            sa.Column('category', key_type(120), nullable=False),
            sa.Column('item', key_type(120), nullable=False),
            sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
            sa.Column('paid', sa.BigInteger(), nullable=False),
            sa.PrimaryKeyConstraint('siswa_id', 'period_id', 'category', 'item', 'number'),
        )
    if not op.get_bind().scalar(sa.text('SELECT count(*) FROM payment_journal')):
        open_balance()


def where():
    return [sa.Column(name, key_type(10 if name == 'day' else 120), nullable=False) for name in WHERE]


def amounts():
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in AMOUNTS]


def open_balance():
    """Begin the journal with the sums of all bills as an opening balance, which is no income."""
    day = datetime.now(campus_timezone()).date().isoformat()
    op.execute(
        sa.text(
            'INSERT INTO payment_journal (day, unit, category, owed, overpaid, paid,'
            ' received, corrected, lost) '
            'SELECT :day, unit_formal, category,'
            ' sum(CASE WHEN remaining > 0 THEN remaining ELSE 0 END),'
            ' sum(CASE WHEN remaining < 0 THEN -remaining ELSE 0 END),'
            ' sum(paid), 0, 0, 0 '
            'FROM tagihan JOIN siswa ON siswa.id = tagihan.siswa_id '
            'GROUP BY unit_formal, category'
        ).bindparams(sa.bindparam('day', day, sa.String(10)))
    )


def downgrade():
    for name in ('vanished_bill', 'closed_day', 'daily_balance', 'payment_journal'):
        op.drop_table(name, if_exists=True)
